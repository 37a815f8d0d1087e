using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Adjoint.IO;

namespace Adjoint.Exploring;

/// <summary>The reference of the ops: a page for each, with everything on it computed on the spot.</summary>
public static partial class OpCards
{
    private const int LongestExample = 100;

    // What is smaller than this share of its surroundings is rounding in float64.
    private const double Rounding = 1e-12;

    /// <summary>Writes <c>index.html</c>, <c>style.css</c> and a page for each op into a folder, which is made where it is missing.</summary>
    /// <returns>How many pages of ops.</returns>
    /// <exception cref="AdjointException">The folder is a file.</exception>
    public static int Write(string folder)
    {
        if (File.Exists(folder)) throw new AdjointException($"--html {folder}: is a file; name a folder");
        var cards = OpCatalogue.All.Select(entry => (entry.Op.Name, File: FileOf(entry.Op.Name), Uses: RuleOps(entry), Entry: entry)).ToArray();
        var pages = cards.Select(card => (card.File, Html: Card(card.Entry, card.Uses, cards.Where(other => other.Uses.Contains(card.Name)).Select(other => other.Name)))).ToArray();
        Directory.CreateDirectory(folder);
        foreach (var (file, html) in pages) AtomicFile.WriteText(Path.Combine(folder, file), html);
        AtomicFile.WriteText(Path.Combine(folder, "style.css"), PageFiles.ReadText("cards/style.css"));
        AtomicFile.WriteText(Path.Combine(folder, "index.html"), Index());
        return pages.Length;
    }

    private static string FileOf(string op) => $"{op.ToLowerInvariant()}.html";

    private static string Index()
    {
        var text = new StringBuilder(Head("Operations"));
        text.Append("<h1>Operations</h1><p class=\"quiet\">Written by <code>adjoint ops --html</code>: formulas, derivations and code come from the sources, numbers were computed.</p><table><tr><th scope=\"col\">op</th><th scope=\"col\">formula</th></tr>");
        foreach (var entry in OpCatalogue.All)
            text.Append(CultureInfo.InvariantCulture, $"\n<tr><td>{Link(entry.Op.Name)}</td><td>{MathMl.Convert(entry.Op.Formula)}</td></tr>");
        return text.Append("</table></body></html>\n").ToString();
    }

    private static string Card(OpEntry entry, IReadOnlyCollection<string> uses, IEnumerable<string> usedBy)
    {
        var op = entry.Op;
        var text = new StringBuilder(Head(op.Name));
        text.Append(CultureInfo.InvariantCulture, $"<p><a href=\"index.html\">Operations</a></p><h1>{Escape(op.Name)}</h1>");
        text.Append(CultureInfo.InvariantCulture, $"<h2>Formula</h2><p class=\"formula\">{MathMl.Convert(op.Formula)}</p>");
        if (!entry.IsDifferentiable) return WithoutDerivative(text, entry);
        text.Append($"<h2>Derivation</h2><p class=\"formula\">{MathMl.Convert(op.Derivation)}</p><p class=\"quiet\">");
        var arriving = FormulaLetters.Of(op, 1).Arriving;
        text.Append($"L is what backward was called on; {arriving} is ∂L/∂(the result). ");
        text.Append($"Backward reads {Reads(op.Saves)}.</p>");
        if (FunctionPlot.Draw(entry) is { } plot) text.Append(CultureInfo.InvariantCulture, $"<h2>Function and derivative</h2>{plot}");
        Example(text, entry);
        Check(text, entry);
        if (SourceOf(op) is { } code) Code(text, code);
        text.Append(CultureInfo.InvariantCulture, $"<h2>Composed of</h2><p>Its rule computes with {Links(uses, "no other op")}.</p><p>Rules of {Links(usedBy, "no other op")} compute with it.</p>");
        return text.Append("</body></html>\n").ToString();
    }

    private static string WithoutDerivative(StringBuilder text, OpEntry entry)
    {
        text.Append(CultureInfo.InvariantCulture, $"<h2>Derivation</h2><p>{Escape(entry.Op.Derivation)}.</p>");
        var inputs = entry.Inputs();
        text.Append("<h2>Worked example</h2><pre tabindex=\"0\">");
        foreach (var (name, input) in "xy".Zip(inputs)) text.Append(Escape($"{name} =\n{Print(input)}\n\n"));
        text.Append(Escape($"{entry.Op.Formula[0]} =\n{Print(entry.Call(inputs))}\n")).Append("</pre>");
        if (SourceOf(entry.Op) is { } code) Code(text, code);
        return text.Append("</body></html>\n").ToString();
    }

    private static void Code(StringBuilder text, string code)
    {
        text.Append(CultureInfo.InvariantCulture, $"<h2>Code</h2><pre tabindex=\"0\">{Escape(code)}</pre>");
        if (!code.Contains("struct Slope", StringComparison.Ordinal)) return;
        text.Append("<p class=\"quiet\"><code>Slope</code> is the derivative, in one pass over memory. ");
        text.Append(code.Contains(" Backward(", StringComparison.Ordinal)
            ? "<code>Backward</code> is the same in ops, which can be differentiated again.</p>"
            : "Where it is to be differentiated again, the same formula runs op by op.</p>");
    }

    private static string Head(string title) => string.Create(CultureInfo.InvariantCulture, $"""
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>{Escape(title)} – Adjoint</title><link rel="icon" href="data:,"><link rel="stylesheet" href="style.css"></head><body>

        """);

    private static string Reads(Saves saves) => saves switch
    {
        Saves.Inputs => "the values of the inputs",
        Saves.Output => "the value of the result",
        Saves.Inputs | Saves.Output => "the values of the inputs and of the result",
        _ => "no values, only shapes",
    };

    private static void Example(StringBuilder text, OpEntry entry)
    {
        var inputs = entry.Inputs();
        foreach (var input in inputs) input.RequireGrad();
        var y = entry.Call(inputs);
        if (inputs.Sum(input => input.Length) > LongestExample) return;
        var letters = FormulaLetters.Of(entry.Op, inputs.Length);
        var ones = Differentiation.Gradients(y, inputs, Tensor.Full(y.Shape, 1, y.DType), retainGraph: true);
        var counted = Differentiation.Gradients(y, inputs, Tensor.Arange(1, y.Length + 1, dtype: y.DType).Reshape(y.Shape.Sizes));
        var vanishing = Enumerable.Range(0, inputs.Length)
            .Where(i => ones[i] is { } one && Largest(one) < Rounding * Largest(counted[i]!))
            .Select(i => $"∂L/∂{letters.Inputs[i]}").ToArray();
        var gradients = vanishing.Length == 0 ? ones : counted;
        var scale = gradients.Max(gradient => gradient is null ? 0 : Largest(gradient));
        text.Append("<h2>Worked example</h2><p>");
        text.Append(vanishing.Length > 0
            ? $"With L = Σ i·{letters.Result}ᵢ, so that {letters.Arriving} is 1, 2, 3, … in row-major order "
                + $"(were it 1 everywhere, {string.Join(" and ", vanishing)} would vanish):"
            : letters.Result == "L" ? $"L is the result itself, so that {letters.Arriving} is 1:"
            : $"With L = Σ {letters.Result}, so that {letters.Arriving} is 1 everywhere:");
        text.Append("</p><pre tabindex=\"0\">");
        for (var i = 0; i < inputs.Length; i++) text.Append(Escape($"{letters.Inputs[i]} =\n{Print(inputs[i])}\n\n"));
        text.Append(Escape($"{letters.Result} =\n{Print(y)}\n"));
        for (var i = 0; i < inputs.Length; i++)
            if (gradients[i] is { } gradient)
                text.Append(Escape($"\n∂L/∂{letters.Inputs[i]} =\n{Print(WithoutRounding(gradient, scale))}\n"));
        text.Append("</pre>");
    }

    private static double Largest(Tensor tensor) => tensor.ToArray<double>().Max(Math.Abs);

    // Sums that cancel leave other last bits on every processor: they are 0 to a reader.
    private static Tensor WithoutRounding(Tensor gradient, double scale) =>
        Tensor.From(Array.ConvertAll(gradient.ToArray<double>(), value => Math.Abs(value) < Rounding * scale ? 0 : value)).Reshape(gradient.Shape.Sizes);

    private static string Print(Tensor tensor) => Suffix().Replace(tensor.Detach().ToString(), "");

    private static void Check(StringBuilder text, OpEntry entry)
    {
        var first = GradCheck.Run(entry.Call, entry.Inputs());
        var second = entry.IsSmooth ? GradCheck.RunSecondOrder(entry.Call, entry.Inputs()) : null;
        text.Append("<h2>Numeric check</h2><table><tr><th scope=\"col\">derivative</th><th scope=\"col\">comparisons</th><th scope=\"col\">largest error</th><th scope=\"col\"></th></tr>");
        Row("first", first);
        if (second is { Comparisons: > 0 }) Row("second", second);
        text.Append(CultureInfo.InvariantCulture, $"</table><p class=\"quiet\">Against central differences in float64. {(entry.IsSmooth ? second is { Comparisons: 0 } ? "The first derivative is constant: there is no second to check." : "" : "The function has kinks, at which no second derivative exists; the first is checked away from them.")}</p>");

        void Row(string name, GradCheckResult result) =>
            text.Append(CultureInfo.InvariantCulture, $"<tr><td>{name}</td><td>{result.Comparisons}</td><td>{Bound(result.MaxError)}</td><td>{(result.Passed ? "agrees" : $"DIFFERS: {Escape(result.Worst)}")}</td></tr>");
    }

    // A bound, not the very number: its last digits are rounding, and differ from processor to processor.
    private static string Bound(double error) => error == 0 ? "0" : error < 1e-6 ? "below 10<sup>−6</sup>" : error < 1e-5 ? "below 10<sup>−5</sup>" : error.ToString("0.0e+00", CultureInfo.InvariantCulture);

    // Everything that the rule applied, forward not counted.
    private static IReadOnlyCollection<string> RuleOps(OpEntry entry)
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
        var declaration = new Regex($@"^(?:/// [^\n]*\n)*[^\n/]*\bclass {type}\b[^\n]*\n(?:.*\n)*?\}}\n|^(?:/// [^\n]*\n)*[^\n/]*\bclass {type}\b[^\n]*;\n", RegexOptions.Multiline);
        return PageFiles.OpSources.Select(file => declaration.Match(PageFiles.ReadText(file).ReplaceLineEndings("\n"))).FirstOrDefault(match => match.Success)?.Value.TrimEnd();
    }

    private static string Links(IEnumerable<string> names, string none)
    {
        var links = names.Order(StringComparer.Ordinal).Select(Link).ToArray();
        return links.Length == 0 ? none : string.Join(", ", links);
    }

    private static string Link(string name) => OpCatalogue.All.Any(entry => entry.Op.Name == name) ? $"<a href=\"{FileOf(name)}\">{Escape(name)}</a>" : $"<code>{Escape(name)}</code>";

    private static string Escape(string text) => WebUtility.HtmlEncode(text).Replace("&#39;", "'", StringComparison.Ordinal);

    [GeneratedRegex(@"(, (float64|int64|bool|source \w+|requires grad|shape \([^)]*\)))+$")]
    private static partial Regex Suffix();
}
