using Xunit;

namespace StreamMetrics.AppHost.Tests;

public sealed class AppHostOptionsTests
{
    [Fact]
    public void Without_options_the_defaults_hold()
    {
        var options = AppHostOptions.Parse([]);

        Assert.Equal(1000, options.EventsPerSecond);
        Assert.Equal(3, options.Aggregators);
        Assert.Equal(0, options.PortOffset);
        Assert.Null(options.DataDirectory);
        Assert.True(options.Dashboard);
    }

    [Fact]
    public void Every_option_is_read_in_both_forms()
    {
        var options = AppHostOptions.Parse(["--events-per-second", "5000", "--aggregators=2", "--port-offset", "100", "--data", "/x/y", "--no-dashboard"]);

        Assert.Equal(5000, options.EventsPerSecond);
        Assert.Equal(2, options.Aggregators);
        Assert.Equal(100, options.PortOffset);
        Assert.Equal("/x/y", options.DataDirectory);
        Assert.False(options.Dashboard);
    }

    [Fact]
    public void Options_of_the_application_builder_pass_and_nothing_else_does()
    {
        var options = AppHostOptions.Parse(["--kafka-ui", "--publisher", "manifest", "--aggregators", "2", "--output-path=x.json", "--no-dashboard"]);

        Assert.Equal((true, 2, false), (options.KafkaUi, options.Aggregators, options.Dashboard));
        Assert.Equal(["--publisher", "manifest", "--output-path", "x.json"], options.ForAspire);
    }

    [Theory]
    [InlineData("unknown option --bogus", "--bogus")]
    [InlineData("unknown option stray", "stray")]
    [InlineData("--aggregators must be a whole number from 1 to 6, not '7'", "--aggregators", "7")]
    [InlineData("--aggregators must be a whole number from 1 to 6, not '0'", "--aggregators=0")]
    [InlineData("--events-per-second must be a whole number from 1 to 1000000, not 'many'", "--events-per-second", "many")]
    [InlineData("--port-offset must be a whole number from 0 to 40000, not '-1'", "--port-offset", "-1")]
    [InlineData("--data needs a value", "--data")]
    [InlineData("--data needs a value", "--data", "--no-dashboard")]
    [InlineData("--data needs a value", "--data=")]
    public void A_bad_option_is_refused_by_name_and_rule(string expected, params string[] args)
    {
        var e = Assert.Throws<AppHostException>(() => AppHostOptions.Parse(args));

        Assert.StartsWith(expected, e.Message, StringComparison.Ordinal);
    }
}
