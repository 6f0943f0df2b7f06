using StreamMetrics.Archiver;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddKafkaTopics();
builder.AddColdStore();
builder.AddHotHistory();
builder.AddMaintenance();
builder.AddSink();

var app = builder.Build();
app.MapDefaultEndpoints();
return await app.RunServiceAsync();
