using Microsoft.Extensions.Options;
using StreamMetrics.LoadGenerator;
using StreamMetrics.LoadGenerator.Http;
using StreamMetrics.ServiceDefaults;
using StreamMetrics.ServiceDefaults.Kafka;

var builder = WebApplication.CreateSlimBuilder([.. args, ServiceHost.ReadConfigurationOnce]);
builder.AddServiceDefaults();
builder.AddKafkaTopics();
// One line per request and more, at a test's or a dashboard's pace of asking, would hide what the generator says.
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
builder.Services.AddOptions<LoadGeneratorOptions>().BindConfiguration(LoadGeneratorOptions.Section).ValidateOnStart();
builder.Services.AddSingleton<IValidateOptions<LoadGeneratorOptions>, LoadGeneratorOptionsValidator>();
builder.Services.AddSingleton<IValidateOptions<LoadGeneratorOptions>, LoadGeneratorOptionsRules>();
builder.Services.AddProblemDetails();
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, AnswersJson.Default));
builder.Services.AddSingleton<GeneratorMetrics>();
builder.Services.AddSingleton<KafkaClientMetrics>();
builder.Services.AddSingleton<Generator>();
builder.Services.AddHostedService(services => services.GetRequiredService<Generator>());

var app = builder.Build();
app.UseExceptionHandler();
app.UseStatusCodePages();
app.MapDefaultEndpoints();
app.MapGenerator();
return await app.RunServiceAsync();
