namespace StreamMetrics.EmbeddedKafka;

/// <summary>The subscription that a consumer puts into its JoinGroup: version i16, topics [string], … (ConsumerProtocolSubscription).</summary>
internal static class Subscription
{
    public static bool Contains(ReadOnlySpan<byte> subscription, string topic)
    {
        try
        {
            var r = new WireReader(subscription, flexible: false);
            r.Int16();
            for (var count = r.ArrayLength(); count > 0; count--)
            {
                if (r.String() == topic) return true;
            }

            return false;
        }
        catch (ProtocolException)
        {
            // The bytes are the client's own affair; what cannot be read subscribes to nothing.
            return false;
        }
    }
}
