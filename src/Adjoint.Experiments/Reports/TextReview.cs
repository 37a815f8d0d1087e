using System.Globalization;
using System.Xml.Linq;
using Adjoint.Data;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>
/// The first validation windows of a text, each token the stronger marked, the less the model expected it after those
/// before.
/// </summary>
internal sealed class TextReview(Dataset data) : TaskReview
{
    private const int Windows = 6, MostTokens = 512;

    // A character has at most four bytes, each of which may be a token.
    private const int MostPieces = 4;

    private readonly TextPreprocessing text = (TextPreprocessing)data.Preprocessing!;
    private readonly List<XElement> windows = [];

    public override void Observe(Tensor outputs, Batch batch)
    {
        using var recording = new NoGrad();
        for (var i = 0; i < batch.Count && windows.Count < Windows; i++)
        {
            var own = WorstSamples.Row(batch, i);
            var inputs = Tokens(own.Inputs);
            // Without targets they are the inputs; padding is left out.
            int[] targets =
            [
                .. (own.Has(Field.Targets) ? Tokens(own.Targets) : inputs[1..]).TakeWhile(token => token >= 0)
                    .Take(MostTokens),
            ];
            var length = targets.Length;
            var logits = outputs.Slice(0, i, 1).Slice(1, 0, length).Reshape(length, outputs.Shape[2]);
            windows.Add(new("p", new XAttribute("style", "font-family:monospace;white-space:pre-wrap"),
                Marked(inputs[0], targets, logits.To(DType.Float64).Softmax())));
        }
    }

    internal override IEnumerable<XElement> Sections() => windows.Count == 0 ? [] :
    [
        new("h2", "Text"),
        new("p", "The first validation windows. Each token is the stronger marked, the less the best model expected it "
            + "after those before; the title of a marked one says how probable it was, and what was more so. ↵ is the "
            + "end of a line."),
        .. windows,
    ];

    private static int[] Tokens(Tensor row) => Array.ConvertAll(row.ToArray<long>(), token => (int)token);

    private IEnumerable<object> Marked(int first, int[] tokens, Tensor probabilities)
    {
        yield return Printed(text.Decode([first]));
        var all = probabilities.ToArray<double>();
        for (var i = 0; i < tokens.Length;)
        {
            // Tokens that are a character only together are shown together.
            var (pieces, piece, probability) = (1, text.Decode(tokens.AsSpan(i, 1)), P(i, tokens[i]));
            while (piece.Contains('\uFFFD', StringComparison.Ordinal) && pieces < MostPieces
                && i + pieces < tokens.Length)
            {
                probability *= P(i + pieces, tokens[i + pieces]);
                piece = text.Decode(tokens.AsSpan(i, ++pieces));
            }
            var row = all[(i * text.Size)..((i + 1) * text.Size)];
            var best = row.IndexOf(row.Max());
            var title = string.Create(CultureInfo.InvariantCulture, $"{probability:P1}")
                + (best == tokens[i] ? ""
                    : string.Create(CultureInfo.InvariantCulture, $"; {Printed(text.Decode([best]))} {row[best]:P1}"));
            var color = string.Create(CultureInfo.InvariantCulture,
                $"background:rgba(213,94,0,{0.6 * (1 - probability):0.00})");
            yield return new XElement("span", new XAttribute("style", color), new XAttribute("title", title),
                Printed(piece));
            i += pieces;
        }

        double P(int place, int token) => all[place * text.Size + token];
    }

    // The end of a line as a sign and a line's end; other control characters are none that a page may have.
    private static string Printed(string piece) =>
        string.Join("↵\n", piece.Split('\n').Select(Printable.Line));
}
