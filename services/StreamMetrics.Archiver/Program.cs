using StreamMetrics.Archiver.Archive;
using StreamMetrics.Archiver;
using StreamMetrics.ServiceDefaults;

if (args is ["archive", .. var command]) return await ArchiveCommand.RunAsync(command, Console.Out);

var builder = WebApplication.CreateBuilder([.. args, ServiceHost.ReadConfigurationOnce]);
builder.AddServiceDefaults();
builder.AddKafkaTopics();
builder.AddColdStore();
builder.AddHotHistory();
builder.AddMaintenance();
builder.AddSink();

var app = builder.Build();
app.MapDefaultEndpoints();
return await app.RunServiceAsync();
