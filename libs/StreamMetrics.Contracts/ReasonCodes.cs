namespace StreamMetrics.Contracts;

/// <summary>Why an event is in <see cref="Topics.DeadLetter"/> or <see cref="Topics.Late"/>.</summary>
public static class ReasonCodes
{
    /// <summary>Not a JSON object in UTF-8.</summary>
    public const string MalformedJson = "malformed-json";

    /// <summary>A required field is absent or null.</summary>
    public const string MissingField = "missing-field";

    /// <summary>A field breaks its rule.</summary>
    public const string InvalidField = "invalid-field";

    /// <summary>The value is not a finite number.</summary>
    public const string ValueNotFinite = "value-not-finite";

    /// <summary>The message is larger than 64 KiB.</summary>
    public const string TooLarge = "too-large";

    /// <summary>Event time lies more than the allowed clock skew ahead of log time.</summary>
    public const string FutureTimestamp = "future-timestamp";

    /// <summary>Event time lies more than 7 days behind the watermark.</summary>
    public const string TooOld = "too-old";

    /// <summary>Event time lies beyond the correction horizon (only in <see cref="Topics.Late"/>).</summary>
    public const string BeyondHorizon = "beyond-horizon";

    /// <summary>Processing failed repeatedly.</summary>
    public const string ProcessingFailed = "processing-failed";
}
