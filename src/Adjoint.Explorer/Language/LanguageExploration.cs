using System.Buffers.Binary;
using System.Text.Json;
using Adjoint.Data;
using Adjoint.Generation;
using Adjoint.Nn;

namespace Adjoint.Explorer;

/// <summary>
/// What the page of a language model shows: the tokens of a text, for each head how much a token takes from those
/// before it, and the distribution of the token that comes next. Answers are JSON. All work happens on one thread.
/// </summary>
internal sealed class LanguageExploration : IDisposable
{
    /// <summary>Of a longer text, the last tokens are shown: their maps still fit a page.</summary>
    internal const int MostTokens = 128;

    private const int MostListed = 20;
    private readonly EngineThread engine = new();
    private readonly LanguageModel model;
    private readonly TextPreprocessing text;
    private readonly string title;
    private readonly (string Path, MultiHeadAttention Attention)[] attentions;

    // Of the tokens that were asked for last.
    private (int[] Tokens, Tensor Logits, Tensor[] Weights) known = ([], Tensor.Zeros(0), []);

    internal LanguageExploration(TextGenerator generator, string title)
    {
        (model, text, this.title) = (generator.Model, generator.Text, title);
        attentions = [.. All(model).OfType<MultiHeadAttention>().Distinct()
            .Select(one => (model.PathOf(one) ?? "", one))];
    }

    private int Longest => Math.Min(MostTokens, model.MaxLength ?? MostTokens);

    /// <summary>What the page says of the model before anything is asked of it.</summary>
    internal byte[] Model() => JsonNumbers.ToBytes(json =>
    {
        json.WriteStartObject();
        json.WriteString("title", title);
        json.WriteNumber("vocabulary", text.Size);
        json.WriteNumber("longest", Longest);
        json.WriteEndObject();
    });

    /// <summary>The tokens of a text, each with its probability, and the weights of all heads.</summary>
    /// <exception cref="AdjointException">The order is not understood, or a token is none.</exception>
    internal Task<byte[]> LookAsync(JsonElement order) => engine.Run(() =>
    {
        var all = TokensOf(order);
        var hidden = Math.Max(0, all.Length - Longest);
        var shown = all[hidden..];
        Look(shown);
        return JsonNumbers.ToBytes(json =>
        {
            json.WriteStartObject();
            json.WriteString("text", text.Decode(all));
            json.WriteNumbers("hidden", all[..hidden]);
            json.WriteStartArray("tokens");
            for (var place = 0; place < shown.Length; place++)
            {
                json.WriteStartObject();
                WriteToken(json, shown[place]);
                if (place > 0) json.WriteReal("probability", Row(place - 1, new())[shown[place]]);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            WriteWeights(json);
            json.WriteEndObject();
        });
    });

    /// <summary>
    /// The distribution of the token after a place, as the model has it and as it would be drawn from.
    /// </summary>
    /// <exception cref="AdjointException">
    /// The order is not understood, a token is none, or a number is out of its range.
    /// </exception>
    internal Task<byte[]> NextAsync(JsonElement order) => engine.Run(() =>
    {
        var all = TokensOf(order);
        var shown = all[Math.Max(0, all.Length - Longest)..];
        var place = (int)(Real(order, "place") ?? shown.Length - 1);
        if (place < 0 || place >= shown.Length)
            throw new AdjointException($"place: {place} is none of the {shown.Length} tokens");
        var sampling = new SamplingOptions
        {
            Temperature = Real(order, "temperature") ?? 1,
            TopK = (int?)Real(order, "topK"),
            TopP = Real(order, "topP") ?? 1,
            Seed = (ulong)Math.Max(0, Real(order, "seed") ?? 0),
        };
        Look(shown);
        var (own, drawn) = (Row(place, new()), Row(place, sampling));
        var listed = own.Index().OrderByDescending(one => one.Item).ThenBy(one => one.Index).Take(MostListed)
            .Select(one => one.Index).ToArray();
        return JsonNumbers.ToBytes(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("place", place);
            json.WriteNumber("possible", drawn.Count(share => share > 0));
            json.WriteNumber("draw", new TokenSampler(sampling).Next(Logits(place)));
            json.WriteStartArray("tokens");
            foreach (var token in listed)
            {
                json.WriteStartObject();
                WriteToken(json, token);
                json.WriteReal("model", own[token]);
                json.WriteReal("drawn", drawn[token]);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteNumber("others", own.Length - listed.Length);
            json.WriteReal("othersModel", Math.Max(0, 1 - listed.Sum(token => own[token])));
            json.WriteReal("othersDrawn", Math.Max(0, 1 - listed.Sum(token => drawn[token])));
            json.WriteEndObject();
        });
    });

    public void Dispose() => engine.Dispose();

    private static IEnumerable<Module> All(Module module) =>
        module.Children.SelectMany(child => All(child.Value)).Prepend(module);

    private Tensor Logits(int place) => known.Logits.Select(0, place);

    private double[] Row(int place, SamplingOptions sampling) =>
        new TokenSampler(sampling).Probabilities(Logits(place));

    private void Look(int[] tokens)
    {
        if (known.Tokens.SequenceEqual(tokens)) return;
        using var gradients = new NoGrad();
        using var mode = model.EvalScope();
        var weights = new Dictionary<MultiHeadAttention, Tensor>();
        var hooks = attentions.Select(one =>
            one.Attention.RegisterWeightsHook((attention, shares) => weights[attention] = shares)).ToArray();
        try
        {
            var logits = model.Forward(Tensor.From([.. tokens.Select(token => (long)token)], 1, tokens.Length));
            known = (tokens, logits.Select(0, 0).Keep(), [.. attentions.Select(one => weights[one.Attention].Keep())]);
        }
        finally
        {
            foreach (var hook in hooks) hook.Dispose();
        }
    }

    // All heads of all layers as whole numbers: 65535 is 1.
    private void WriteWeights(Utf8JsonWriter json)
    {
        json.WriteStartArray("layers");
        for (var layer = 0; layer < attentions.Length; layer++)
        {
            json.WriteStartObject();
            json.WriteString("name", attentions[layer].Path);
            json.WriteNumber("heads", attentions[layer].Attention.Heads);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        var count = known.Weights.Sum(weights => weights.Length);
        var bytes = new byte[2 * count];
        var at = 0;
        foreach (var share in known.Weights.SelectMany(weights => weights.To(DType.Float64).ToArray<double>()))
        {
            var whole = double.IsNaN(share) ? 0 : Math.Round(Math.Clamp(share, 0, 1) * ushort.MaxValue);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2 * at++), (ushort)whole);
        }
        json.WriteBase64String("weights", bytes);
    }

    private void WriteToken(Utf8JsonWriter json, int token)
    {
        json.WriteNumber("id", token);
        // A part of a character has no text.
        if (text.CompleteCount([token]) == 1) json.WriteString("text", text.Decode([token]));
        else json.WriteNull("text");
    }

    private int[] TokensOf(JsonElement order)
    {
        if (order.ValueKind != JsonValueKind.Object)
            throw new AdjointException("an order is a JSON object, such as {\"text\": \"Once\"}");
        int[] tokens;
        if (order.TryGetProperty("tokens", out var list))
            tokens = list.ValueKind == JsonValueKind.Array
                ? [.. list.EnumerateArray().Select(one =>
                    one.ValueKind == JsonValueKind.Number && one.TryGetInt32(out var token) ? token : -1)]
                : throw new AdjointException("tokens: a list of whole numbers is needed");
        else if (order.TryGetProperty("text", out var given) && given.ValueKind == JsonValueKind.String)
            tokens = text.Encode(ValidText(given));
        else throw new AdjointException("an order needs a 'text', or 'tokens'");
        foreach (var token in tokens)
            if ((uint)token >= (uint)text.Size)
                throw new AdjointException($"tokens: each must be a whole number from 0 to {text.Size - 1}");
        // As where text is generated: an empty one is a line break.
        return tokens.Length > 0 ? tokens : text.Encode("\n");
    }

    // JSON can spell halves of surrogate pairs, which are no text.
    private static string ValidText(JsonElement given)
    {
        try
        {
            return given.GetString()!;
        }
        catch (InvalidOperationException error)
        {
            throw new AdjointException("an order holds a text that is no valid Unicode: half a surrogate pair", error);
        }
    }

    private static double? Real(JsonElement order, string name) =>
        !order.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number
        : throw new AdjointException($"{name}: a number is needed");
}
