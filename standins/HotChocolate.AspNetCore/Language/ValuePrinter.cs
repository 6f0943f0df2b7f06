using System.Globalization;
using System.Text;

namespace HotChocolate.Language;

/// <summary>Writes literals as they stand in documents.</summary>
static class ValuePrinter
{
    public static string Print(ValueNode value) => value switch
    {
        ScalarNode { Kind: ScalarKind.String } text => Quote(text.Text),
        ScalarNode scalar => scalar.Text,
        VariableNode variable => "$" + variable.Name,
        ListNode list => $"[{string.Join(", ", list.Items.Select(Print))}]",
        ObjectNode fields => $"{{{string.Join(", ", fields.Fields.Select(f => $"{f.Name}: {Print(f.Value)}"))}}}",
        _ => "null",
    };

    public static string Quote(string text)
    {
        var result = new StringBuilder("\"");
        foreach (var c in text)
        {
            if (c is '"' or '\\') result.Append('\\').Append(c);
            else if (c == '\n') result.Append("\\n");
            else if (c < ' ') result.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else result.Append(c);
        }

        return result.Append('"').ToString();
    }
}
