namespace HotChocolate.Language;

/// <summary>
/// Reads executable documents by recursive descent (https://spec.graphql.org/October2021/#sec-Appendix-Grammar-Summary). Depth, fields and
/// tokens are bounded, so no document can exhaust the stack or the memory.
/// </summary>
sealed class Parser
{
    // as the real package's defaults
    const int MaxDepth = 200;
    const int MaxFields = 2048;
    const int MaxTokens = 15_000;

    readonly Lexer _lexer;
    Token _token;
    int _depth;
    int _fields;
    int _tokens;

    Parser(string source)
    {
        _lexer = new(source);
        Advance();
    }

    /// <exception cref="SyntaxException">The document is not valid, or larger than allowed.</exception>
    public static Document Parse(string source) => new Parser(source).Document();

    void Advance()
    {
        _token = _lexer.Next();
        if (++_tokens > MaxTokens) throw new SyntaxException($"A document may have at most {MaxTokens} tokens.", _token.Location);
    }

    bool Is(string punctuator) => _token.Kind == TokenKind.Punctuator && _token.Text == punctuator;

    bool IsName(string name) => _token.Kind == TokenKind.Name && _token.Text == name;

    bool Skip(string punctuator)
    {
        if (!Is(punctuator)) return false;
        Advance();
        return true;
    }

    Location Expect(string punctuator)
    {
        var at = _token.Location;
        if (!Skip(punctuator)) throw Unexpected($"'{punctuator}'");
        return at;
    }

    string Name()
    {
        if (_token.Kind != TokenKind.Name) throw Unexpected("a name");
        var name = _token.Text;
        Advance();
        return name;
    }

    // open item+ close
    List<T> Many<T>(string open, Func<T> item, string close)
    {
        Expect(open);
        var items = new List<T>();
        do items.Add(item());
        while (!Skip(close));
        return items;
    }

    List<T> OptionalMany<T>(string open, Func<T> item, string close) => Is(open) ? Many(open, item, close) : [];

    T Nested<T>(Func<T> read)
    {
        if (++_depth > MaxDepth) throw new SyntaxException($"A document may be nested at most {MaxDepth} levels deep.", _token.Location);
        var result = read();
        _depth--;
        return result;
    }

    Document Document()
    {
        var definitions = new List<Definition>();
        do definitions.Add(Definition());
        while (_token.Kind != TokenKind.End);
        return new(definitions);
    }

    Definition Definition()
    {
        var at = _token.Location;
        if (Is("{")) return new OperationDefinition(at, OperationType.Query, null, [], [], SelectionSet());
        if (IsName("fragment")) return Fragment(at);
        OperationType? type = _token switch
        {
            { Kind: TokenKind.Name, Text: "query" } => OperationType.Query,
            { Kind: TokenKind.Name, Text: "mutation" } => OperationType.Mutation,
            { Kind: TokenKind.Name, Text: "subscription" } => OperationType.Subscription,
            // https://spec.graphql.org/October2021/#sec-Executable-Definitions
            { Kind: TokenKind.Name, Text: "schema" or "scalar" or "type" or "interface" or "union" or "enum" or "input" or "directive" or "extend" } =>
                throw new SyntaxException($"A request must hold operations and fragments only; '{_token.Text}' begins another definition.", at),
            _ => throw Unexpected("an operation or a fragment"),
        };
        Advance();
        var name = _token.Kind == TokenKind.Name ? Name() : null;
        return new OperationDefinition(at, type.Value, name, OptionalMany("(", Variable, ")"), Directives(isConstant: false), SelectionSet());
    }

    FragmentDefinition Fragment(Location at)
    {
        Advance();
        if (IsName("on")) throw Unexpected("the fragment's name");
        var name = Name();
        if (!IsName("on")) throw Unexpected("'on'");
        Advance();
        return new(at, name, NamedType(), Directives(isConstant: false), SelectionSet());
    }

    VariableDefinition Variable()
    {
        var at = Expect("$");
        var name = Name();
        Expect(":");
        var type = Type();
        return new(at, name, type, Skip("=") ? Value(isConstant: true) : null, Directives(isConstant: true));
    }

    SelectionSet SelectionSet() => Nested(() =>
    {
        var at = _token.Location;
        return new SelectionSet(at, Many("{", Selection, "}"));
    });

    Selection Selection()
    {
        var at = _token.Location;
        return Skip("...") ? FragmentSelection(at) : Field(at);
    }

    Selection FragmentSelection(Location at)
    {
        if (_token.Kind == TokenKind.Name && _token.Text != "on") return new FragmentSpread(at, Name(), Directives(isConstant: false));
        NamedTypeNode? type = null;
        if (IsName("on"))
        {
            Advance();
            type = NamedType();
        }

        return new InlineFragment(at, type, Directives(isConstant: false), SelectionSet());
    }

    FieldNode Field(Location at)
    {
        if (++_fields > MaxFields) throw new SyntaxException($"A document may select at most {MaxFields} fields.", at);
        var name = Name();
        string? alias = null;
        if (Skip(":")) (alias, name) = (name, Name());
        return new(at, alias, name, Arguments(isConstant: false), Directives(isConstant: false), Is("{") ? SelectionSet() : null);
    }

    List<ArgumentNode> Arguments(bool isConstant) => OptionalMany("(", () => Argument(isConstant), ")");

    ArgumentNode Argument(bool isConstant)
    {
        var at = _token.Location;
        var name = Name();
        Expect(":");
        return new(at, name, Value(isConstant));
    }

    List<DirectiveNode> Directives(bool isConstant)
    {
        var directives = new List<DirectiveNode>();
        while (Is("@"))
        {
            var at = Expect("@");
            directives.Add(new(at, Name(), Arguments(isConstant)));
        }

        return directives;
    }

    NamedTypeNode NamedType()
    {
        var at = _token.Location;
        return new(at, Name());
    }

    TypeNode Type() => Nested(() =>
    {
        var at = _token.Location;
        TypeNode type;
        if (Skip("["))
        {
            type = new ListTypeNode(at, Type());
            Expect("]");
        }
        else
        {
            type = NamedType();
        }

        return Skip("!") ? new NonNullTypeNode(at, type) : type;
    });

    ValueNode Value(bool isConstant)
    {
        var at = _token.Location;
        if (_token.Kind == TokenKind.Punctuator)
        {
            return _token.Text switch
            {
                "$" when !isConstant => VariableValue(at),
                "[" => Nested(() => ListValue(at, isConstant)),
                "{" => Nested(() => ObjectValue(at, isConstant)),
                _ => throw Unexpected(isConstant ? "a value without variables" : "a value"),
            };
        }

        ValueNode value = _token switch
        {
            { Kind: TokenKind.Int } => new ScalarNode(at, ScalarKind.Int, _token.Text),
            { Kind: TokenKind.Float } => new ScalarNode(at, ScalarKind.Float, _token.Text),
            { Kind: TokenKind.String } => new ScalarNode(at, ScalarKind.String, _token.Text),
            { Kind: TokenKind.Name, Text: "true" or "false" } => new ScalarNode(at, ScalarKind.Boolean, _token.Text),
            { Kind: TokenKind.Name, Text: "null" } => new NullNode(at),
            { Kind: TokenKind.Name } => new ScalarNode(at, ScalarKind.Enum, _token.Text),
            _ => throw Unexpected("a value"),
        };
        Advance();
        return value;
    }

    VariableNode VariableValue(Location at)
    {
        Advance();
        return new(at, Name());
    }

    ListNode ListValue(Location at, bool isConstant)
    {
        Advance();
        var items = new List<ValueNode>();
        while (!Skip("]")) items.Add(Value(isConstant));
        return new(at, items);
    }

    ObjectNode ObjectValue(Location at, bool isConstant)
    {
        Advance();
        var fields = new List<ArgumentNode>();
        while (!Skip("}")) fields.Add(Argument(isConstant));
        return new(at, fields);
    }

    SyntaxException Unexpected(string expected)
    {
        var found = _token.Kind == TokenKind.End ? "the end" : $"'{(_token.Text.Length > 50 ? _token.Text[..50] + "…" : _token.Text)}'";
        return new($"Expected {expected}, found {found}.", _token.Location);
    }
}
