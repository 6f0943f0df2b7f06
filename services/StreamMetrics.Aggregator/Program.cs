using StreamMetrics.Aggregator;
using StreamMetrics.ServiceDefaults;

var builder = WebApplication.CreateBuilder([.. args, ServiceHost.ReadConfigurationOnce]);
builder.AddServiceDefaults();
builder.AddKafkaTopics();
builder.AddAggregator();

var app = builder.Build();
app.MapDefaultEndpoints();
return await app.RunServiceAsync();
