using System.Globalization;
using Adjoint.Kernels;

namespace Adjoint.Tests.Kernels;

/// <summary>Vector maths as what it says: run on these, a operator writes down its own expression.</summary>
internal readonly struct Expr : ILanes<Expr>
{
    private Expr(string operation, params Expr[] operands) => Node = new(operation, [.. operands.Select(x => x.Node)]);

    internal Node Node { get; }

    internal static Expr Input(string name) => new(name);

    public static Expr Splat(double value) => new(value.ToString("R", CultureInfo.InvariantCulture));

    public static Expr operator +(Expr a, Expr b) => new("+", a, b);

    public static Expr operator -(Expr a, Expr b) => new("-", a, b);

    public static Expr operator *(Expr a, Expr b) => new("*", a, b);

    public static Expr operator /(Expr a, Expr b) => new("/", a, b);

    public static Expr operator -(Expr x) => new("-", x);

    public static Expr Fma(Expr a, Expr b, Expr c) => new("fma", a, b, c);

    public static Expr Min(Expr a, Expr b) => new("min", a, b);

    public static Expr Max(Expr a, Expr b) => new("max", a, b);

    public static Expr Abs(Expr x) => new("abs", x);

    public static Expr Sqrt(Expr x) => new("sqrt", x);

    public static Expr Floor(Expr x) => new("floor", x);

    public static Expr Exp(Expr x) => new("exp", x);

    public static Expr ScaleByPowerOfTwo(Expr x, Expr n) => new("ldexp", x, n);

    public static Expr Clamp(Expr x, Expr low, Expr high) => new("clamp", x, low, high);

    public static Expr Log(Expr x) => new("log", x);

    public static Expr Pow(Expr x, Expr y) => new("pow", x, y);

    public static Expr Sin(Expr x) => new("sin", x);

    public static Expr Cos(Expr x) => new("cos", x);

    public static Expr Less(Expr a, Expr b) => new("<", a, b);

    public static Expr LessEqual(Expr a, Expr b) => new("<=", a, b);

    public static Expr Equal(Expr a, Expr b) => new("==", a, b);

    public static Expr FloorDivide(Expr x, Expr y) => new("floordiv", x, y);

    public static Expr Remainder(Expr x, Expr y) => new("mod", x, y);

    public static Expr And(Expr x, Expr y) => new("&", x, y);

    public static Expr Or(Expr x, Expr y) => new("|", x, y);

    public static Expr Xor(Expr x, Expr y) => new("^", x, y);

    public static Expr Not(Expr x) => new("~", x);

    public static Expr Select(Expr mask, Expr ifTrue, Expr ifFalse) => new("?", mask, ifTrue, ifFalse);
}

/// <summary>An operation and its operands; an input, or a number, has none.</summary>
internal sealed class Node(string operation, IReadOnlyList<Node> operands)
{
    internal string Operation { get; } = operation;

    internal IReadOnlyList<Node> Operands { get; } = operands;

    internal bool IsMask => Operation is "<" or "<=" or "==";

    /// <summary>All nodes under some, each once, operands before those that use them.</summary>
    internal static IReadOnlyList<Node> Under(IEnumerable<Node> roots)
    {
        var found = new List<Node>();
        var seen = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        foreach (var root in roots) Visit(root);
        return found;

        void Visit(Node node)
        {
            if (!seen.Add(node)) return;
            foreach (var operand in node.Operands) Visit(operand);
            found.Add(node);
        }
    }

    /// <summary>
    /// The results as statements: <c>t0 = exp(x);</c> for each subtree that is used more than once, then
    /// <c>return …;</c>.
    /// </summary>
    internal static string Text(IReadOnlyList<Node> roots)
    {
        var names = new Dictionary<Node, string>(ReferenceEqualityComparer.Instance);
        var uses = Under(roots).SelectMany(node => node.Operands).Concat(roots).ToLookup(
            node => node, ReferenceEqualityComparer.Instance);
        var lines = new List<string>();
        foreach (var node in Under(roots))
        {
            if (node.Operands.Count == 0 || uses[node].Count() == 1) continue;
            lines.Add($"t{names.Count} = {Outer(node)};");
            names.Add(node, $"t{names.Count}");
        }
        return string.Join('\n', lines.Append($"return {string.Join(", ", roots.Select(Outer))};"));

        string Inner(Node node) => names.GetValueOrDefault(node) ?? node.Operands.Count switch
        {
            0 when node.Operation[0] != '-' => node.Operation,
            0 => $"({node.Operation})",
            _ => char.IsAsciiLetter(node.Operation[0]) ? Outer(node) : $"({Outer(node)})",
        };

        string Outer(Node node)
        {
            if (names.TryGetValue(node, out var name)) return name;
            string[] inner = [.. node.Operands.Select(Inner)];
            return (node.Operation, inner.Length) switch
            {
                (var leaf, 0) => leaf,
                ("-", 1) => $"-{inner[0]}",
                ("~", 1) => $"~{inner[0]}",
                ("?", _) => $"{inner[0]} ? {inner[1]} : {inner[2]}",
                (var function, _) when char.IsAsciiLetter(function[0]) =>
                    $"{function}({string.Join(", ", node.Operands.Select(Outer))})",
                (var sign, _) => $"{inner[0]} {sign} {inner[1]}",
            };
        }
    }

    /// <summary>The results, computed in lanes.</summary>
    internal static V[] Evaluate<V>(IReadOnlyList<Node> roots, IReadOnlyDictionary<string, V> inputs)
        where V : struct, ILanes<V>
    {
        var values = new Dictionary<Node, V>(ReferenceEqualityComparer.Instance);
        foreach (var node in Under(roots)) values.Add(node, Value(node, [.. node.Operands.Select(x => values[x])]));
        return [.. roots.Select(root => values[root])];

        V Value(Node node, V[] x) => (node.Operation, x.Length) switch
        {
            (_, 0) => inputs.TryGetValue(node.Operation, out var input)
                ? input
                : V.Splat(double.Parse(node.Operation, CultureInfo.InvariantCulture)),
            ("+", _) => x[0] + x[1],
            ("-", 1) => -x[0],
            ("-", _) => x[0] - x[1],
            ("*", _) => x[0] * x[1],
            ("/", _) => x[0] / x[1],
            ("fma", _) => V.Fma(x[0], x[1], x[2]),
            ("min", _) => V.Min(x[0], x[1]),
            ("max", _) => V.Max(x[0], x[1]),
            ("abs", _) => V.Abs(x[0]),
            ("sqrt", _) => V.Sqrt(x[0]),
            ("floor", _) => V.Floor(x[0]),
            ("exp", _) => V.Exp(x[0]),
            ("ldexp", _) => V.ScaleByPowerOfTwo(x[0], x[1]),
            ("clamp", _) => V.Clamp(x[0], x[1], x[2]),
            ("log", _) => V.Log(x[0]),
            ("pow", _) => V.Pow(x[0], x[1]),
            ("sin", _) => V.Sin(x[0]),
            ("cos", _) => V.Cos(x[0]),
            ("<", _) => V.Less(x[0], x[1]),
            ("<=", _) => V.LessEqual(x[0], x[1]),
            ("==", _) => V.Equal(x[0], x[1]),
            ("?", _) => V.Select(x[0], x[1], x[2]),
            ("floordiv", _) => V.FloorDivide(x[0], x[1]),
            ("mod", _) => V.Remainder(x[0], x[1]),
            ("&", _) => V.And(x[0], x[1]),
            ("|", _) => V.Or(x[0], x[1]),
            ("^", _) => V.Xor(x[0], x[1]),
            ("~", _) => V.Not(x[0]),
            _ => throw new ArgumentException($"{node.Operation} is no operation"),
        };
    }
}
