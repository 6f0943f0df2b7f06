using System.Diagnostics;
using OpenTelemetry.Trace;

namespace StreamMetrics.ServiceDefaults;

/// <summary>
/// What begins a trace: everything but a call to a database or another service that belongs to nothing. Those are the services' own
/// polls and batches; each would be a trace of a single span, a hundred a minute, between those that tell something.
/// </summary>
sealed class BackgroundCallsSampler : Sampler
{
    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters) =>
        new(samplingParameters.Kind == ActivityKind.Client ? SamplingDecision.Drop : SamplingDecision.RecordAndSample);
}
