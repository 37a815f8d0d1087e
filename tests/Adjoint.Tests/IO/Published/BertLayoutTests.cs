using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Tests.Nn;

namespace Adjoint.Tests.IO;

/// <summary>Folders of BERT: sizes, names of all ages, heads. What the model computes is tested with it.</summary>
public sealed class BertLayoutTests : IDisposable
{
    private const string Config = """
        {"vocab_size": 11, "max_position_embeddings": 7, "type_vocab_size": 2, "hidden_size": 8, "num_hidden_layers": 2,
         "num_attention_heads": 2, "intermediate_size": 12, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
         "hidden_dropout_prob": 0.3, "attention_probs_dropout_prob": 0.2}
        """;

    private static readonly BertOptions Options = new()
    {
        Vocabulary = 11,
        Context = 7,
        Width = 8,
        Heads = 2,
        Layers = 2,
        FeedForward = 12,
        Dropout = 0.3,
        AttentionDropout = 0.2,
    };

    private static readonly Tensor Tokens = Tensor.From(new long[] { 3, 1, 4, 1, 5, 9, 2, 6 }, 2, 4);

    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-bert-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Prefix_older_names_and_heads_are_taken_in_any_format()
    {
        File.WriteAllText(Path.Combine(folder, "config.json"), Config);
        var model = FormulaWeights.Fill(new BertClassifier(3, Options)).Eval();
        var state = model.StateDict().ToDictionary(
            entry => entry.Key.Replace("LayerNorm.weight", "LayerNorm.gamma", StringComparison.Ordinal)
                .Replace("LayerNorm.bias", "LayerNorm.beta", StringComparison.Ordinal), entry => entry.Value);
        Assert.Contains("bert.encoder.layer.1.attention.output.LayerNorm.gamma", state.Keys);
        state.Add("cls.predictions.bias", Tensor.Zeros(11));
        state.Add("bert.embeddings.position_ids", Tensor.Arange(0, 7, 1, DType.Int64).Unsqueeze(0));
        PyTorchFile.Save(Path.Combine(folder, "pytorch_model.bin"), state);
        var (encoder, classifier) = (BertLayout.Load(folder), BertLayout.LoadClassifier(folder));
        Assert.Equal(Options, encoder.Options);
        Assert.Equal((Options, 3), (classifier.Bert.Options, classifier.Classes));
        using var _ = new NoGrad();
        Assert.False(encoder.IsTraining || classifier.IsTraining);
        var expected = model.Bert.Forward(Tokens).Pooled.ToArray<float>();
        Assert.Equal(expected, encoder.Forward(Tokens).Pooled.ToArray<float>());
        Assert.Equal(model.Forward(Tokens).ToArray<float>(), classifier.Forward(Tokens).ToArray<float>());
        var other = new Bert(Options).Eval();
        var report = BertLayout.LoadStateDict(other, model.Bert.StateDict());
        Assert.Equal(model.Bert.StateDict().Count, report.Loaded.Count);
        Assert.Equal(expected, other.Forward(Tokens).Pooled.ToArray<float>());
    }

    [Fact]
    public void Models_go_into_a_folder_and_come_back()
    {
        foreach (var options in (BertOptions[])[Options, Options with { HasPooler = false, Epsilon = 1e-5 }])
        {
            var model = FormulaWeights.Fill(new Bert(options)).Eval();
            BertLayout.Save(model, folder);
            var read = BertLayout.Load(folder);
            Assert.Equal(options, read.Options);
            Assert.All(model.StateDict(), entry =>
                Assert.True(entry.Value.HasBitsOf(read.StateDict()[entry.Key]), entry.Key));
        }
        AssertMessage("found no classifier.weight (classes, width), expected a classifier; BertLayout.Load loads the "
            + "encoder alone", () => BertLayout.LoadClassifier(folder));
        var classifier = FormulaWeights.Fill(new BertClassifier(4, Options)).Eval();
        BertLayout.Save(classifier, folder);
        var again = BertLayout.LoadClassifier(folder);
        Assert.Equal(4, again.Classes);
        Assert.All(classifier.StateDict(), entry =>
            Assert.True(entry.Value.HasBitsOf(again.StateDict()[entry.Key]), entry.Key));
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var model = FormulaWeights.Fill(new Bert(Options));
        BertLayout.Save(model, folder);
        foreach (var (config, message) in ((string, string)[])
        [
            (Config.Replace("\"gelu\"", "\"tanh\"", StringComparison.Ordinal), "'hidden_act' is 'tanh'"),
            (Config.Replace("{", "{\"position_embedding_type\": \"relative_key\", ", StringComparison.Ordinal),
                "'position_embedding_type' is 'relative_key', not absolute"),
            (Config.Replace("{", "{\"is_decoder\": true, ", StringComparison.Ordinal), "'is_decoder' is not false"),
            (Config.Replace("{", "{\"model_type\": \"roberta\", ", StringComparison.Ordinal),
                "'model_type' is 'roberta'"),
            (Config.Replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", StringComparison.Ordinal),
                "missing encoder.layer.2.attention.self.query.weight"),
            (Config.Replace("\"hidden_size\": 8", "\"hidden_size\": 2000000", StringComparison.Ordinal),
                "config.json: it takes more memory than the tensors of its file account for"),
            (Config.Replace("\"vocab_size\": 11", "\"vocab_size\": 12", StringComparison.Ordinal),
                "embeddings.word_embeddings.weight must be (12, 8) float32: found (11, 8) F32"),
        ])
        {
            File.WriteAllText(Path.Combine(folder, "config.json"), config);
            AssertMessage(message, () => BertLayout.Load(folder));
        }
    }

    private static void AssertMessage(string part, Action act) =>
        Assert.Contains(part, Assert.ThrowsAny<AdjointException>(act).Message, StringComparison.Ordinal);
}
