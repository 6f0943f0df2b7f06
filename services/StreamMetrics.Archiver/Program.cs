using StreamMetrics.Archiver;
using StreamMetrics.Archiver.Archive;

if (args is ["archive", .. var command]) return await ArchiveCommand.RunAsync(command, Console.Out);

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
