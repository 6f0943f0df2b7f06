namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// One request of a connection: decoded header, body, and the writer of the answer. A connection has one and uses it again for each request, since it
/// handles one at a time.
/// </summary>
internal sealed class Request(Broker broker, string clientHost, CancellationToken closed) : IDisposable
{
    /// <summary>Limit of all requests but Produce: their lists become objects, which are many times as large.</summary>
    const int MaxBytes = 16 << 20;

    public Broker Broker { get; } = broker;

    public string ClientHost { get; } = clientHost;

    /// <summary>Signalled when the connection is gone: nobody waits for the answer any more.</summary>
    public CancellationToken Closed { get; } = closed;

    public ApiKey Key { get; private set; }

    public short Version { get; private set; }

    public string ClientId { get; private set; } = "";

    /// <summary>What follows the header. Produce writes offsets into it, since the batches go to the log from here.</summary>
    public Memory<byte> Body { get; private set; }

    public WireWriter Response { get; } = new();

    public FetchWaiter Waiter { get; } = new(broker.Time);

    /// <summary>Set by a Produce with acks=0: no answer is sent.</summary>
    public bool NoResponse { get; set; }

    /// <summary>Set when the connection must be closed instead of answered (an error of a Produce with acks=0).</summary>
    public bool MustClose { get; set; }

    public bool IsFlexible { get; private set; }

    /// <summary>Bytes of the memory budget that the answer holds until it is sent.</summary>
    public int HeldBytes { get; set; }

    public WireReader Reader() => new(Body.Span, IsFlexible);

    /// <summary>
    /// Decodes the header: api_key i16, api_version i16, correlation_id i32, client_id string (never compact), tagged fields in flexible versions; and starts
    /// the answer with the correlation id, after room for its length.
    /// </summary>
    public void Start(Memory<byte> frame)
    {
        var r = new WireReader(frame.Span, flexible: false);
        var key = r.Int16();
        var version = r.Int16();
        var correlation = r.Int32();
        var range = ApiTable.Find(key) ?? throw new ProtocolException($"Request {key} is not served.");
        // A version that is too new changes the header as well; of ApiVersions it must be answered all the same (KIP-511).
        if (!range.Serves(version) && range.Key != ApiKey.ApiVersions) throw new ProtocolException($"{range.Key} v{version} is not served.");
        if (range.Key != ApiKey.Produce && frame.Length > MaxBytes) throw new ProtocolException($"A {range.Key} request of {frame.Length} bytes; {MaxBytes} are accepted.");
        ClientId = r.OldString() ?? "";
        (Key, Version, IsFlexible) = (range.Key, version, version >= range.FlexibleFrom);
        if (IsFlexible && range.Serves(version))
        {
            var tags = new WireReader(frame.Span[r.Position..], flexible: true);
            tags.Tags();
            Body = frame[(r.Position + tags.Position)..];
        }
        else
        {
            Body = frame[r.Position..];
        }

        (NoResponse, MustClose) = (false, false);
        Response.Flexible = IsFlexible && Key != ApiKey.ApiVersions;
        Response.Int32(0);
        Response.Int32(correlation);
        Response.Tags();
        Response.Flexible = IsFlexible;
    }

    public void ReleaseHeld()
    {
        Broker.Memory.Release(HeldBytes);
        HeldBytes = 0;
    }

    public void Dispose()
    {
        ReleaseHeld();
        Response.Dispose();
        Waiter.Dispose();
    }
}
