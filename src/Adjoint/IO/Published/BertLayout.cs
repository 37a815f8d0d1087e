using System.Text;
using System.Text.Json;
using Adjoint.Data;
using Adjoint.Nn;

namespace Adjoint.IO;

/// <summary>
/// The layout of BERT as it is published (Devlin et al. 2018), and of models that were trained from it: the names that
/// a <see cref="Bert"/> has, with or without <c>bert.</c> before them, or the older <c>LayerNorm.gamma</c> and
/// <c>LayerNorm.beta</c>, and sizes in <c>config.json</c>:
/// <code>
/// var model = BertLayout.Load("bert-base-uncased");
/// var (hidden, pooled) = model.Forward(tokens, types, new AttentionMask { Lengths = lengths });
/// </code>
/// </summary>
public static class BertLayout
{
    private const string Kind = "bert", Prefix = "bert.", Classifier = "classifier.";

    /// <summary>Loads an encoder from a folder; heads beside it are left out.</summary>
    /// <param name="folder">
    /// The path of a folder with <c>config.json</c> and tensors in any format that <see cref="TensorFile.Open"/> takes.
    /// </param>
    /// <param name="options">What need not fit, and what is renamed first; null: strict.</param>
    /// <returns>
    /// The model, in evaluation mode, of the floating type that its tensors have; without a pooler where the file has
    /// none.
    /// </returns>
    /// <exception cref="DataFormatException">
    /// A file is damaged or of another kind, or describes a model that is computed otherwise, or one that the file has
    /// no tensors for.
    /// </exception>
    /// <exception cref="AdjointException">Names or shapes are not those of the model.</exception>
    /// <exception cref="FileNotFoundException">There is no such folder, or a file is missing.</exception>
    public static Bert Load(string folder, LoadOptions? options = null)
    {
        var config = ReadConfig(Path.Combine(folder, PublishedModel.ConfigName));
        return PublishedModel.Load(folder, options, NameOf,
            entries => new Bert(config with { HasPooler = entries.ContainsKey("pooler.dense.weight") }), State);

        static string? NameOf(string name) => BertLayout.NameOf(name) is { } own
            && !own.StartsWith(Classifier, StringComparison.Ordinal) ? own : null;
    }

    /// <summary>Loads a classifier that was fine-tuned before, from a folder.</summary>
    /// <param name="folder">The path of the folder, as for <see cref="Load"/>.</param>
    /// <param name="options">What need not fit, and what is renamed first; null: strict.</param>
    /// <returns>The model, in evaluation mode, with as many classes as the file has weights for.</returns>
    /// <exception cref="DataFormatException">
    /// As for <see cref="Load"/>; or there is no classifier in the file.
    /// </exception>
    /// <exception cref="AdjointException">Names or shapes are not those of the model.</exception>
    /// <exception cref="FileNotFoundException">There is no such folder, or a file is missing.</exception>
    public static BertClassifier LoadClassifier(string folder, LoadOptions? options = null)
    {
        var config = ReadConfig(Path.Combine(folder, PublishedModel.ConfigName));
        return PublishedModel.Load(folder, options, NameOf,
            entries => new BertClassifier(ClassesIn(folder, entries), config), State);
    }

    /// <summary>Saves an encoder into a folder, as <c>config.json</c> and <c>model.safetensors</c>.</summary>
    /// <param name="model">The model to save.</param>
    /// <param name="folder">The path of the folder, which is made where there is none; its files are replaced.</param>
    /// <exception cref="IOException">The disk is full, or the folder may not be written to.</exception>
    public static void Save(Bert model, string folder) =>
        PublishedModel.Save(folder, ConfigOf(model.Options, "BertModel", null), model.StateDict());

    /// <summary>Saves a classifier into a folder, as <c>config.json</c> and <c>model.safetensors</c>.</summary>
    /// <param name="model">The model to save.</param>
    /// <param name="folder">The path of the folder, which is made where there is none; its files are replaced.</param>
    /// <exception cref="IOException">The disk is full, or the folder may not be written to.</exception>
    public static void Save(BertClassifier model, string folder) => PublishedModel.Save(folder,
        ConfigOf(model.Bert.Options, "BertForSequenceClassification", model.Classes), model.StateDict());

    /// <summary>Reads the sizes of a model.</summary>
    /// <param name="path">The path of <c>config.json</c>.</param>
    /// <returns>The settings of the model.</returns>
    /// <exception cref="DataFormatException">It is the configuration of another kind of model, or damaged.</exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static BertOptions ReadConfig(string path) => PublishedConfig.Read(path, Kind, config =>
    {
        config.Require("is_decoder", false);
        config.Require("add_cross_attention", false);
        if (config.Text("position_embedding_type", "absolute") is var positions && positions != "absolute")
            throw new FormatException(
                $"'position_embedding_type' is '{positions}', not absolute: such models are computed otherwise");
        return new BertOptions
        {
            Vocabulary = config.RequiredInteger("vocab_size"),
            Context = config.RequiredInteger("max_position_embeddings"),
            Types = config.RequiredInteger("type_vocab_size"),
            Width = config.RequiredInteger("hidden_size"),
            Heads = config.RequiredInteger("num_attention_heads"),
            Layers = config.RequiredInteger("num_hidden_layers"),
            FeedForward = config.RequiredInteger("intermediate_size"),
            Activation = config.Activation("hidden_act", "gelu"),
            Dropout = config.Number("hidden_dropout_prob", 0.1),
            AttentionDropout = config.Number("attention_probs_dropout_prob", 0.1),
            Epsilon = config.Number("layer_norm_eps", 1e-12),
        };
    });

    /// <summary>Copies a published state into an encoder; all or nothing.</summary>
    /// <param name="model">The model to load into.</param>
    /// <param name="state">
    /// Tensors by published names; heads that are trained beside the encoder before it is fine-tuned, <c>cls.…</c>, and
    /// <c>position_ids</c> are left out.
    /// </param>
    /// <param name="options">What need not fit, and what is renamed or converted first; null: strict.</param>
    /// <returns>What was loaded, and what was not.</returns>
    /// <exception cref="AdjointException">
    /// Names, shapes or types are not those of the model and the options do not allow it.
    /// </exception>
    public static LoadReport LoadStateDict(
        Bert model, IReadOnlyDictionary<string, Tensor> state, LoadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(state);
        return PublishedModel.LoadState(State(model), state, "BertLayout", options, NameOf);
    }

    // By the names without prefix, which all others become.
    private static IEnumerable<(string Name, Tensor Value)> State(Module model) =>
        model.NamedState().Select(one => (WithoutPrefix(one.Name), one.Value));

    private static string WithoutPrefix(string name) =>
        name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : name;

    private static string? NameOf(string name)
    {
        name = WithoutPrefix(name);
        if (name == "embeddings.position_ids" || name.StartsWith("cls.", StringComparison.Ordinal)) return null;
        foreach (var (old, now) in ((string, string)[])[("LayerNorm.gamma", "LayerNorm.weight"),
            ("LayerNorm.beta", "LayerNorm.bias")])
            if (name.EndsWith(old, StringComparison.Ordinal)) return name[..^old.Length] + now;
        return name;
    }

    private static int ClassesIn(string folder, IReadOnlyDictionary<string, TensorEntry> entries) =>
        entries.TryGetValue(Classifier + "weight", out var entry) && entry.Sizes is [> 0 and <= int.MaxValue, _]
            ? (int)entry.Sizes[0]
            : throw new DataFormatException(
                $"{folder}: found no {Classifier}weight (classes, width), expected a classifier; BertLayout.Load loads "
                + "the encoder alone");

    private static string ConfigOf(BertOptions options, string architecture, int? classes)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new() { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartArray("architectures");
            json.WriteStringValue(architecture);
            json.WriteEndArray();
            json.WriteString("model_type", Kind);
            json.WriteNumber("vocab_size", options.Vocabulary);
            json.WriteNumber("max_position_embeddings", options.Context);
            json.WriteNumber("type_vocab_size", options.Types);
            json.WriteNumber("hidden_size", options.Width);
            json.WriteNumber("num_attention_heads", options.Heads);
            json.WriteNumber("num_hidden_layers", options.Layers);
            json.WriteNumber("intermediate_size", options.InnerWidth);
            json.WriteString("hidden_act", PublishedConfig.NameOf(options.Activation));
            json.WriteNumber("hidden_dropout_prob", options.Dropout);
            json.WriteNumber("attention_probs_dropout_prob", options.AttentionDropout);
            json.WriteNumber("layer_norm_eps", options.Epsilon);
            if (classes is { } count)
            {
                // Readers count the classes by these names.
                json.WriteStartObject("id2label");
                for (var i = 0; i < count; i++) json.WriteString($"{i}", $"LABEL_{i}");
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
