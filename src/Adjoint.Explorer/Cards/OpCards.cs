using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Adjoint.IO;
using Adjoint.Shared;

namespace Adjoint.Explorer;

/// <summary>The reference of the ops: a page for each, with everything on it computed on the spot.</summary>
public static partial class OpCards
{
    private const int LongestExample = 100;

    // What is smaller than this share of its surroundings is rounding in float64.
    private const double Rounding = 1e-12;

    /// <summary>
    /// Writes <c>index.html</c>, <c>style.css</c> and a page for each op into a folder, which is made where it is
    /// missing.
    /// </summary>
    /// <param name="folder">Where; files of these names are replaced.</param>
    /// <returns>How many pages of ops were written.</returns>
    /// <exception cref="AdjointException">The folder is a file.</exception>
    public static int Write(string folder)
    {
        if (File.Exists(folder)) throw new AdjointException($"--html {folder}: is a file; name a folder");
        var cards = OpCatalogue.All.Select(entry => (Entry: entry, Uses: OpsOfRule(entry))).ToArray();
        var pages = cards.Select(card => (File: FileOf(card.Entry.Op.Name), Html: Card(card.Entry, card.Uses,
            cards.Where(other => other.Uses.Contains(card.Entry.Op.Name)).Select(other => other.Entry.Op.Name))))
            .ToArray();
        Directory.CreateDirectory(folder);
        foreach (var (file, html) in pages) AtomicFile.WriteText(Path.Combine(folder, file), html);
        AtomicFile.WriteText(Path.Combine(folder, "style.css"), PageFiles.ReadText("cards/style.css"));
        AtomicFile.WriteText(Path.Combine(folder, "index.html"), Index());
        return pages.Length;
    }

    private static string FileOf(string op) => $"{op.ToLowerInvariant()}.html";

    private static string Index() => Page("Operations",
        new XElement("h1", "Operations"),
        Note("Written by ", new XElement("code", "adjoint ops --html"),
            ": formulas, derivations and code come from the sources, the numbers are computed."),
        new XElement("table",
            new XElement("tr", Heads("op", "formula")),
            OpCatalogue.All.Select(entry => new XElement("tr",
                new XElement("td", Link(entry.Op.Name)), new XElement("td", MathMl.Convert(entry.Op.Formula))))));

    private static string Card(OpEntry entry, IReadOnlyCollection<string> uses, IEnumerable<string> usedBy)
    {
        var op = entry.Op;
        return Page(op.Name,
            new XElement("p", new XElement("a", new XAttribute("href", "index.html"), "Operations")),
            new XElement("h1", op.Name),
            new XElement("h2", "Formula"), Formula(op.Formula),
            new XElement("h2", "Derivation"),
            entry.IsDifferentiable ? Derivative(entry) : WithoutDerivative(entry),
            Code(op),
            entry.IsDifferentiable ? ComposedOf(uses, usedBy) : null);
    }

    private static IEnumerable<XElement?> Derivative(OpEntry entry)
    {
        var op = entry.Op;
        yield return Formula(op.Derivation);
        yield return Note("L is the tensor that Backward() was called on; ",
            $"{FormulaSymbols.Of(op, 1).Gradient} is ∂L/∂(the result). Backward reads {Reads(op.Saves)}.");
        if (FunctionPlot.Draw(entry) is { } plot)
        {
            yield return new("h2", "Function and derivative");
            foreach (var element in plot) yield return element;
        }
        foreach (var element in Example(entry)) yield return element;
        foreach (var element in Check(entry)) yield return element;
    }

    private static IEnumerable<XElement> WithoutDerivative(OpEntry entry)
    {
        var inputs = entry.Inputs();
        var text = new StringBuilder();
        foreach (var (name, input) in "xy".Zip(inputs)) text.Append($"{name} =\n{Print(input)}\n\n");
        text.Append($"{entry.Op.Formula[0]} =\n{Print(entry.Call(inputs))}\n");
        return [new("p", $"{entry.Op.Derivation}."), new("h2", "Worked example"), Listing(text)];
    }

    private static IEnumerable<XElement> Code(Op op)
    {
        if (SourceOf(op) is not { } code) yield break;
        yield return new("h2", "Code");
        yield return Listing(code);
        if (!code.Contains("struct Vjp", StringComparison.Ordinal)) yield break;
        yield return Note(new XElement("code", "Vjp"),
            ", the vector-Jacobian product, is the derivative in one pass over memory. ",
            code.Contains(" Backward(", StringComparison.Ordinal)
                ? [new XElement("code", "Backward"), " is the same in ops, which can be differentiated again."]
                : (object[])["Where it is to be differentiated again, the same formula runs op by op."]);
    }

    private static IEnumerable<XElement> ComposedOf(IEnumerable<string> uses, IEnumerable<string> usedBy) =>
    [
        new("h2", "Composed of"),
        new("p", "Its rule computes with ", Links(uses), "."),
        new("p", "Rules of ", Links(usedBy), " compute with it."),
    ];

    private static string Page(string title, params IEnumerable<object?> body) => Html.Page(
        [
            new("title", $"{title} – Adjoint"), Html.Element("link", ("rel", "icon"), ("href", "data:,")),
            Html.Element("link", ("rel", "stylesheet"), ("href", "style.css")),
        ],
        body);

    private static XElement Formula(string text) => new("p", Html.Class("formula"), MathMl.Convert(text));

    private static XElement Note(params IEnumerable<object> content) => new("p", Html.Class("quiet"), content);

    // Can be scrolled with the keys where it is too wide.
    private static XElement Listing(object text) => new("pre", new XAttribute("tabindex", 0), text);

    private static IEnumerable<XElement> Heads(params string[] texts) =>
        texts.Select(text => new XElement("th", new XAttribute("scope", "col"), text));

    private static string Reads(Saves saves) => saves switch
    {
        Saves.Inputs => "the values of the inputs",
        Saves.Output => "the value of the result",
        Saves.Inputs | Saves.Output => "the values of the inputs and of the result",
        _ => "no values, only shapes",
    };

    private static IEnumerable<XElement> Example(OpEntry entry)
    {
        var inputs = entry.Inputs();
        foreach (var input in inputs) input.RequireGrad();
        var y = entry.Call(inputs);
        if (inputs.Sum(input => input.Length) > LongestExample) return [];
        var symbols = FormulaSymbols.Of(entry.Op, inputs.Length);
        var ones = Differentiation.Gradients(
            y, inputs, Tensor.Full(y.Shape, 1, y.DType), retainGraph: true);
        var counted = Differentiation.Gradients(
            y, inputs, Tensor.Arange(1, y.Length + 1, dtype: y.DType).Reshape(y.Shape.Sizes));
        var vanishing = Enumerable.Range(0, inputs.Length)
            .Where(i => ones[i] is { } one && Largest(one) < Rounding * Largest(counted[i]!))
            .Select(i => $"∂L/∂{symbols.Inputs[i]}").ToArray();
        var gradients = vanishing.Length == 0 ? ones : counted;
        var scale = gradients.Max(gradient => gradient is null ? 0 : Largest(gradient));
        var text = new StringBuilder();
        for (var i = 0; i < inputs.Length; i++) text.Append($"{symbols.Inputs[i]} =\n{Print(inputs[i])}\n\n");
        text.Append($"{symbols.Result} =\n{Print(y)}\n");
        for (var i = 0; i < inputs.Length; i++)
            if (gradients[i] is { } gradient)
                text.Append($"\n∂L/∂{symbols.Inputs[i]} =\n{Print(WithoutRounding(gradient, scale))}\n");
        return [new("h2", "Worked example"), new("p", Given(symbols, vanishing)), Listing(text)];
    }

    // With which gradient of the result the example is computed.
    private static string Given(FormulaSymbols symbols, string[] vanishing)
    {
        if (vanishing.Length > 0)
            return $"With L = Σ i·{symbols.Result}ᵢ, so that {symbols.Gradient} is 1, 2, 3, … in row-major order "
                + $"(if it were 1 everywhere, {string.Join(" and ", vanishing)} would vanish):";
        return symbols.Result == "L"
            ? $"L is the result itself, so that {symbols.Gradient} is 1:"
            : $"With L = Σ {symbols.Result}, so that {symbols.Gradient} is 1 everywhere:";
    }

    private static double Largest(Tensor tensor) => tensor.ToArray<double>().Max(Math.Abs);

    // Sums that cancel leave other last bits on every processor: they are 0 to a reader.
    private static Tensor WithoutRounding(Tensor gradient, double scale)
    {
        var values = gradient.ToArray<double>();
        for (var i = 0; i < values.Length; i++)
            if (Math.Abs(values[i]) < Rounding * scale) values[i] = 0;
        return Tensor.From(values).Reshape(gradient.Shape.Sizes);
    }

    private static string Print(Tensor tensor) => Suffix().Replace(tensor.Detach().ToString(), "");

    private static IEnumerable<XElement> Check(OpEntry entry)
    {
        var first = GradCheck.Run(entry.Call, entry.Inputs());
        var second = entry.IsSmooth ? GradCheck.RunSecondOrder(entry.Call, entry.Inputs()) : null;
        var note = second switch
        {
            { Comparisons: 0 } => " The first derivative is constant: there is no second to check.",
            null => " The function has kinks, where no second derivative exists; the first is checked away from them.",
            _ => "",
        };
        return
        [
            new("h2", "Numeric check"),
            new("table",
                new XElement("tr", Heads("derivative", "comparisons", "largest error", "")),
                Row("first", first), second is { Comparisons: > 0 } ? Row("second", second) : null),
            Note($"Compared with central differences in float64.{note}"),
        ];

        static XElement Row(string name, GradCheckResult result) => new("tr",
            new XElement("td", name), new XElement("td", result.Comparisons),
            new XElement("td", Bound(result.MaxError)),
            new XElement("td", result.Passed ? "agrees" : $"DIFFERS: {result.Worst}"));
    }

    // A bound, not the very number: its last digits are rounding, and differ from processor to processor.
    private static object[] Bound(double error) => error switch
    {
        0 => ["0"],
        < 1e-6 => ["below 10", new XElement("sup", "−6")],
        < 1e-5 => ["below 10", new XElement("sup", "−5")],
        _ => [error.ToString("0.0e+00", CultureInfo.InvariantCulture)],
    };

    // The ops that the backward rule applies; those of the forward pass are not counted.
    private static IReadOnlyCollection<string> OpsOfRule(OpEntry entry)
    {
        if (!entry.IsDifferentiable) return [];
        var inputs = entry.Inputs();
        foreach (var input in inputs) input.RequireGrad();
        var node = entry.Call(inputs).Source!;
        var g = Tensor.Full(node.Output.Shape, 1, node.Output.DType).RequireGrad();
        var forward = new HashSet<OpNode>();
        Walk([node], forward);
        var rule = new HashSet<OpNode>(forward);
        Walk(node.Op.Backward(node, g).Select(result => result?.Source), rule);
        return new SortedSet<string>(rule.Except(forward).Select(next => next.Op.Name), StringComparer.Ordinal);

        static void Walk(IEnumerable<OpNode?> from, HashSet<OpNode> found)
        {
            var open = new Stack<OpNode?>(from);
            while (open.TryPop(out var next))
                if (next is not null && found.Add(next))
                    foreach (var input in next.Inputs) open.Push(input.Source);
        }
    }

    private static string? SourceOf(Op op)
    {
        var type = op.GetType().Name.Split('`')[0];
        const string comment = @"^(?:/// [^\n]*\n)*";
        var declaration = new Regex(
            $@"{comment}[^\n/]*\bclass {type}\b[^\n]*\n(?:.*\n)*?\}}\n|{comment}[^\n/]*\bclass {type}\b[^\n]*;\n",
            RegexOptions.Multiline);
        return PageFiles.OpSources.Select(file => declaration.Match(PageFiles.ReadText(file).ReplaceLineEndings("\n")))
            .FirstOrDefault(match => match.Success)?.Value.TrimEnd();
    }

    private static IEnumerable<object> Links(IEnumerable<string> names)
    {
        var links = names.Order(StringComparer.Ordinal).Select(Link).ToArray();
        return links.Length == 0
            ? ["no other op"]
            : links.SelectMany((link, i) => i == 0 ? [link] : (object[])[", ", link]);
    }

    private static XElement Link(string name) => OpCatalogue.All.Any(entry => entry.Op.Name == name)
        ? new("a", new XAttribute("href", FileOf(name)), name)
        : new("code", name);

    [GeneratedRegex(@"(, (float64|int64|bool|source \w+|requires grad|shape \([^)]*\)))+$")]
    private static partial Regex Suffix();
}
