using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Xunit;

namespace StreamMetrics.AppHost.Tests;

/// <summary>
/// Details of Aspire's public API (docs/adr/0003-aspire-apis.md) in which a stand-in that differs would let code compile that Aspire refuses.
/// They hold with Aspire and with the stand-in.
/// </summary>
public sealed class AspireShapeTests
{
    [Theory]
    [InlineData(typeof(KnownResourceStates))]
    [InlineData(typeof(KnownResourceStateStyles))]
    [InlineData(typeof(KnownResourceCommands))]
    public void Names_of_states_styles_and_commands_are_no_constants(Type names)
    {
        var fields = names.GetFields(BindingFlags.Public | BindingFlags.Static);

        Assert.NotEmpty(fields);
        Assert.All(fields, field => Assert.True(field is { IsInitOnly: true, IsLiteral: false }, field.Name));
    }

    [Theory]
    [InlineData(typeof(UpdateCommandStateContext))]
    [InlineData(typeof(ExecuteCommandContext))]
    [InlineData(typeof(HttpCommandRequestContext))]
    public void A_command_gets_its_services_from_one_property(Type context) =>
        Assert.Equal([nameof(ExecuteCommandContext.ServiceProvider)], context.GetProperties().Where(p => p.PropertyType == typeof(IServiceProvider)).Select(p => p.Name));
}
