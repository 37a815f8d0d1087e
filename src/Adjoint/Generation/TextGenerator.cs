using System.Text;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Nn;

namespace Adjoint.Generation;

/// <summary>
/// Text from a language model, token by token, as it comes:
/// <code>
/// var generator = TextGenerator.Load("runs/1/best.safetensors");
/// foreach (var text in generator.Generate("Once upon a time", new() { Temperature = 0.8, TopP = 0.95 }))
///     Console.Write(text);
/// </code>
/// Texts consist of whole characters that were learned: <see cref="TextPreprocessing.UnknownToken"/> is left out. Equal
/// seeds give equal texts. Several threads may generate at once, but none may train the model meanwhile.
/// </summary>
/// <remarks>
/// A prompt may be longer than <see cref="LanguageModel.MaxLength"/>: the model sees its last tokens. Where prompt and
/// text outgrow it, the window moves: the later half of its tokens stays, and positions are counted from the first of
/// them. An empty prompt is a line break, which is where a text begins.
/// </remarks>
public sealed class TextGenerator
{
    /// <summary>Joins a model with its tokens.</summary>
    /// <param name="model">The model, which is used in evaluation mode and not changed.</param>
    /// <param name="text">How texts become tokens and back, as in training.</param>
    /// <exception cref="AdjointException">The model has another number of tokens than the text.</exception>
    public TextGenerator(LanguageModel model, TextPreprocessing text)
    {
        if (model.VocabularySize != text.Size)
            throw new AdjointException(
                $"TextGenerator: the model must have an output for each of the {text.Size} tokens of '{text.Kind}': "
                + $"found {model.VocabularySize}; give it the preprocessing of its training data");
        (Model, Text) = (model, text);
    }

    /// <summary>Takes model and preprocessing of a model file.</summary>
    /// <param name="file">A model file of a language model.</param>
    /// <exception cref="AdjointException">It holds another model, or not how its texts became tokens.</exception>
    public TextGenerator(ModelFile file) : this(ModelOf(file), TextOf(file)) { }

    /// <summary>The model whose logits choose the tokens.</summary>
    public LanguageModel Model { get; }

    /// <summary>How texts become tokens and back.</summary>
    public TextPreprocessing Text { get; }

    /// <summary>Loads a model file, such as <c>best.safetensors</c> of a run.</summary>
    /// <param name="path">The path of the file.</param>
    /// <returns>A generator of the model and the preprocessing in the file.</returns>
    /// <exception cref="DataFormatException">The file is damaged or of another kind.</exception>
    /// <exception cref="AdjointException">It holds another model, or not how its texts became tokens.</exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static TextGenerator Load(string path) => new(ModelFile.Read(path));

    /// <summary>Goes on from a prompt.</summary>
    /// <param name="prompt">The text to go on from; empty: a line break.</param>
    /// <param name="options">How tokens are chosen, and when to stop; null: the defaults.</param>
    /// <param name="cancellation">Ends it between two tokens.</param>
    /// <returns>The text after the prompt, in parts, none of them empty, as they are generated.</returns>
    /// <exception cref="AdjointException">
    /// An option is out of its range, or the prompt is empty and there is no token of a line break; while it
    /// generates: a logit is NaN or ∞.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    public IEnumerable<string> Generate(
        string prompt, GenerationOptions? options = null, CancellationToken cancellation = default) =>
        GenerateTokens(prompt, options, cancellation).Select(one => one.Text).Where(text => text.Length > 0);

    /// <summary>Goes on from a prompt; gives each token with the text that it completes.</summary>
    /// <param name="prompt">The text to go on from; empty: a line break.</param>
    /// <param name="options">How tokens are chosen, and when to stop; null: the defaults.</param>
    /// <param name="cancellation">Ends it between two tokens.</param>
    /// <returns>The tokens, as they are generated, the one that it stops at included.</returns>
    /// <exception cref="AdjointException">As for <see cref="Generate"/>.</exception>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    public IEnumerable<GeneratedToken> GenerateTokens(
        string prompt, GenerationOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new();
        Check(options);
        return Run(Begin(prompt), options, new(options) { Excluded = Text.UnknownToken }, cancellation);
    }

    /// <summary>
    /// The characters of a prompt that the model did not learn: their tokens stand for something else.
    /// </summary>
    /// <param name="prompt">The text to look at.</param>
    /// <returns>The characters, each once, in their order.</returns>
    public IReadOnlyList<Rune> Unknown(string prompt) =>
    [
        .. prompt.EnumerateRunes().Distinct()
            .Where(one => Text.Decode(Text.Encode(one.ToString())) != one.ToString()),
    ];

    private IEnumerable<GeneratedToken> Run(
        int[] prompt, GenerationOptions options, TokenSampler sampler, CancellationToken cancellation)
    {
        var window = new TokenWindow(Model, prompt, options.MaxTokens, options.UsesCache);
        var text = new TextStream(Text, options.Stop);
        for (var left = options.MaxTokens; left > 0; left--)
        {
            cancellation.ThrowIfCancellationRequested();
            var token = sampler.Next(window.Next());
            if (options.StopTokens.Contains(token))
            {
                yield return new(token, text.End());
                yield break;
            }
            var piece = text.Add(token);
            if (left == 1) piece += text.End();
            yield return new(token, piece);
            if (text.IsStopped) yield break;
            window.Add(token);
        }
    }

    private int[] Begin(string prompt)
    {
        if (Text.Encode(prompt) is { Length: > 0 } tokens) return tokens;
        const string begin = "\n";
        if (Unknown(begin).Count == 0) return Text.Encode(begin);
        throw new AdjointException(
            "TextGenerator: a prompt of one character or more is needed: found none, and the model did not learn a "
            + "line break to begin with");
    }

    private void Check(GenerationOptions options)
    {
        if (options.MaxTokens < 0)
            throw new AdjointException(
                $"TextGenerator: the most tokens to generate must be 0 or more: found {options.MaxTokens}");
        foreach (var stop in options.Stop)
            // Of half a surrogate pair EnumerateRunes makes U+FFFD.
            if (stop.Length == 0 || string.Concat(stop.EnumerateRunes()) != stop)
                throw new AdjointException(
                    "TextGenerator: a text to stop at must be one or more whole characters: found "
                    + (stop.Length == 0 ? "none" : "half of a surrogate pair"));
        foreach (var token in options.StopTokens)
            if ((uint)token >= (uint)Text.Size)
                throw new AdjointException(
                    $"TextGenerator: there is no token {token} to stop at; use 0..{Text.Size - 1}");
    }

    private static LanguageModel ModelOf(ModelFile file) => file.Model as LanguageModel
        ?? throw new AdjointException(
            $"TextGenerator: a language model is needed: found {file.Model}; use the file of one, such as a Gpt's");

    private static TextPreprocessing TextOf(ModelFile file) => file.Info.Preprocessing switch
    {
        TextPreprocessing text => text,
        var other => throw new AdjointException(
            "TextGenerator: the file does not say how texts become tokens: it has "
            + (other is null ? "no preprocessing" : $"'{other.Kind}'")
            + "; give the TextPreprocessing of the training data beside the model"),
    };
}
