using System.Text;
using System.Text.Json;
using Adjoint.Data;
using Adjoint.Nn;

namespace Adjoint.IO;

/// <summary>
/// The layout of GPT-2 as it is published (Radford et al. 2019), and of models that were trained from it: the names
/// <c>wte.weight</c>, <c>h.0.attn.c_attn.weight</c>, … with or without <c>transformer.</c> before them, matrices
/// (inputs, outputs), and sizes in <c>config.json</c>. It becomes a <see cref="Gpt"/>, and a <see cref="Gpt"/> becomes
/// it:
/// <code>
/// var model = Gpt2Layout.Load("gpt2");
/// var text = BpeText.Load("gpt2/vocab.json", "gpt2/merges.txt");   // of Adjoint.Formats
/// new TextGenerator(model, text).Generate("Once upon a time")
/// </code>
/// </summary>
public static class Gpt2Layout
{
    private const string Kind = "gpt2", Head = "lm_head.weight", Tokens = "wte.weight";

    private static readonly NameMap Published = new NameMap()
        .Add("tokens.weight", Tokens).Add("positions.weight", "wpe.weight")
        .Add("layers.*.norm1.*", "h.*.ln_1.*")
        .Add("layers.*.self_attn.in_proj_*", "h.*.attn.c_attn.*")
        .Add("layers.*.self_attn.out_proj.*", "h.*.attn.c_proj.*")
        .Add("layers.*.norm2.*", "h.*.ln_2.*")
        .Add("layers.*.linear1.*", "h.*.mlp.c_fc.*").Add("layers.*.linear2.*", "h.*.mlp.c_proj.*")
        .Add("norm.*", "ln_f.*").Add("output.weight", Head);

    /// <summary>Loads a model from a folder.</summary>
    /// <param name="folder">
    /// The path of a folder with <c>config.json</c> and tensors in any format that <see cref="TensorFile.Open"/> takes.
    /// </param>
    /// <param name="options">What need not fit, and what is renamed first; null: strict.</param>
    /// <returns>The model, in evaluation mode, of the floating type that its tensors have.</returns>
    /// <exception cref="DataFormatException">
    /// A file is damaged or of another kind, or describes a model that is computed otherwise, or one that the file has
    /// no tensors for.
    /// </exception>
    /// <exception cref="AdjointException">Names or shapes are not those of the model.</exception>
    /// <exception cref="FileNotFoundException">There is no such folder, or a file is missing.</exception>
    public static Gpt Load(string folder, LoadOptions? options = null)
    {
        var config = ReadConfig(Path.Combine(folder, PublishedModel.ConfigName));
        return PublishedModel.Load(folder, options, NameOf, _ => new Gpt(config), Views);
    }

    /// <summary>Saves a model into a folder, as <c>config.json</c> and <c>model.safetensors</c>.</summary>
    /// <param name="model">A model that is computed as GPT-2 is.</param>
    /// <param name="folder">The path of the folder, which is made where there is none; its files are replaced.</param>
    /// <exception cref="AdjointException">
    /// The model has positions, norms or heads of keys and values that GPT-2 has not.
    /// </exception>
    /// <exception cref="IOException">The disk is full, or the folder may not be written to.</exception>
    public static void Save(Gpt model, string folder) =>
        PublishedModel.Save(folder, ConfigOf(model.Options), StateDict(model));

    /// <summary>Reads the sizes of a model.</summary>
    /// <param name="path">The path of <c>config.json</c>.</param>
    /// <returns>
    /// The settings of the model. Its only dropout is <c>resid_pdrop</c>, which the published models have three times.
    /// </returns>
    /// <exception cref="DataFormatException">It is the configuration of another kind of model, or damaged.</exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static GptOptions ReadConfig(string path) => PublishedConfig.Read(path, Kind, config =>
    {
        config.Require("scale_attn_weights", true);
        config.Require("scale_attn_by_inverse_layer_idx", false);
        config.Require("add_cross_attention", false);
        return new GptOptions
        {
            Vocabulary = config.RequiredInteger("vocab_size"),
            Context = config.RequiredInteger("n_positions", "n_ctx"),
            Width = config.RequiredInteger("n_embd"),
            Layers = config.RequiredInteger("n_layer"),
            Heads = config.RequiredInteger("n_head"),
            FeedForward = config.Integer("n_inner"),
            Activation = config.Activation("activation_function", "gelu_new"),
            Epsilon = config.Number("layer_norm_epsilon", 1e-5),
            Dropout = config.Number("resid_pdrop", 0.1),
            IsTied = config.Flag("tie_word_embeddings", true),
        };
    });

    /// <summary>The tensors of a model by their published names, in their published shapes.</summary>
    /// <param name="model">A model that is computed as GPT-2 is.</param>
    /// <returns>
    /// Tensors by name: the model's own, or copies where the layout differs. Tied weights of the output are there once,
    /// as <c>wte.weight</c>.
    /// </returns>
    /// <exception cref="AdjointException">
    /// The model has positions, norms or heads of keys and values that GPT-2 has not.
    /// </exception>
    public static IReadOnlyDictionary<string, Tensor> StateDict(Gpt model)
    {
        using var _ = new NoGrad();
        return Views(model).DistinctBy(one => one.Value)
            .ToDictionary(one => one.Name, one => one.Value.Contiguous());
    }

    /// <summary>Copies a published state into a model; all or nothing.</summary>
    /// <param name="model">A model that is computed as GPT-2 is.</param>
    /// <param name="state">
    /// Tensors by published names. Masks that older files have beside the weights, <c>h.0.attn.bias</c>, are left out.
    /// </param>
    /// <param name="options">What need not fit, and what is renamed or converted first; null: strict.</param>
    /// <returns>What was loaded, and what was not, by published names.</returns>
    /// <exception cref="AdjointException">
    /// Names, shapes or types are not those of the model and the options do not allow it; or the model has positions,
    /// norms or heads of keys and values that GPT-2 has not.
    /// </exception>
    public static LoadReport LoadStateDict(
        Gpt model, IReadOnlyDictionary<string, Tensor> state, LoadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(state);
        return PublishedModel.LoadState(Views(model), state, "Gpt2Layout", options, NameOf);
    }

    // Matrices are transposed; the weights of the output have both names where they are those of the tokens.
    private static IEnumerable<(string Name, Tensor Value)> Views(Gpt model)
    {
        RequireGpt2(model.Options);
        foreach (var (name, value) in model.StateDict())
        {
            var published = Published.Apply(name);
            var isMatrix = published.StartsWith("h.", StringComparison.Ordinal) && value.Rank == 2;
            yield return (published, isMatrix ? value.Transpose() : value);
            if (published == Tokens && model.Options.IsTied) yield return (Head, value);
        }
    }

    private static void RequireGpt2(GptOptions options)
    {
        if (options is { Positions: PositionKind.Learned, Norm: NormKind.Layer }
            && (options.KeyValueHeads ?? options.Heads) == options.Heads) return;
        throw new AdjointException(
            "Gpt2Layout: GPT-2 has learned positions, layer normalization, and keys and values for each head: found "
            + $"positions {options.Positions}, norm {options.Norm}, {options.KeyValueHeads ?? options.Heads} of "
            + $"{options.Heads} heads; save such a model as a model file, model.Save(path)");
    }

    // Masks, which are computed here, lie beside the weights in older files.
    private static string? NameOf(string name)
    {
        const string prefix = "transformer.";
        if (name.StartsWith(prefix, StringComparison.Ordinal)) name = name[prefix.Length..];
        return NameMap.Fits("h.*.attn.bias", name) || NameMap.Fits("h.*.attn.masked_bias", name) ? null : name;
    }

    private static string ConfigOf(GptOptions options)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new() { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartArray("architectures");
            json.WriteStringValue("GPT2LMHeadModel");
            json.WriteEndArray();
            json.WriteString("model_type", Kind);
            json.WriteNumber("vocab_size", options.Vocabulary);
            json.WriteNumber("n_positions", options.Context);
            json.WriteNumber("n_embd", options.Width);
            json.WriteNumber("n_layer", options.Layers);
            json.WriteNumber("n_head", options.Heads);
            if (options.FeedForward is { } width) json.WriteNumber("n_inner", width);
            json.WriteString("activation_function", PublishedConfig.NameOf(options.Activation));
            json.WriteNumber("layer_norm_epsilon", options.Epsilon ?? 1e-5);
            foreach (var name in (string[])["resid_pdrop", "embd_pdrop", "attn_pdrop"])
                json.WriteNumber(name, options.Dropout);
            json.WriteBoolean("tie_word_embeddings", options.IsTied);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
