using StreamMetrics.Query;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddQuery();

var app = builder.Build();
app.MapDefaultEndpoints();
app.MapQuery();
return await app.RunServiceAsync();
