using StreamMetrics.Aggregator;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddKafkaTopics();
builder.AddAggregator();

var app = builder.Build();
app.MapDefaultEndpoints();
return await app.RunServiceAsync();
