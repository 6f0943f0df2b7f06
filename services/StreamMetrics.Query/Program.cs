using StreamMetrics.Query;
using StreamMetrics.ServiceDefaults;

var builder = WebApplication.CreateBuilder([.. args, ServiceHost.ReadConfigurationOnce]);
builder.AddServiceDefaults();
builder.AddQuery();

var app = builder.Build();
app.MapDefaultEndpoints();
app.MapQuery();
return await app.RunServiceAsync();
