using System.Text.Json.Serialization;

namespace StreamMetrics.Archiver.Sink;

[JsonSerializable(typeof(SortedDictionary<int, long>))]
sealed partial class ArchiverJson : JsonSerializerContext;
