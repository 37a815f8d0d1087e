using System.Globalization;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Tests.Nn;

namespace Adjoint.Tests.IO;

/// <summary>
/// Folders of GPT-2 against a forward pass in NumPy: Nn/Goldens/gpt2.py prints names, shapes and logits.
/// </summary>
public sealed class Gpt2LayoutTests : IDisposable
{
    private const string Config = """
        {"model_type": "gpt2", "vocab_size": 11, "n_positions": 7, "n_ctx": 7, "n_embd": 8, "n_layer": 2, "n_head": 2,
         "layer_norm_epsilon": 1e-3, "activation_function": "gelu_new", "n_inner": null, "resid_pdrop": 0.25,
         "architectures": ["GPT2LMHeadModel"], "bos_token_id": 10}
        """;

    private static readonly string Goldens =
        Path.Combine(LayeringTests.Root(), "tests", "Adjoint.Tests", "Nn", "Goldens");

    private static readonly Tensor Tokens =
        Tensor.From([.. Enumerable.Range(0, 12).Select(i => (long)i * i % 11)], 2, 6);

    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-gpt2-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Names_shapes_and_logits_are_those_of_the_reference() =>
        Compare(File.ReadAllLines(Path.Combine(Goldens, "gpt2.txt")));

    [Fact]
    public async Task The_golden_file_is_what_the_reference_says_today() =>
        Compare(await PyTorchScript.LinesOf(Path.Combine(Goldens, "gpt2.py")));

    [Fact]
    public void Prefix_buffers_and_a_tied_head_are_taken_in_any_format()
    {
        Write(Config);
        SafeTensors.Save(Path.Combine(folder, "model.safetensors"), State());
        var expected = Logits(Gpt2Layout.Load(folder));
        var state = State().ToDictionary(entry => $"transformer.{entry.Key}", entry => entry.Value);
        state.Add("lm_head.weight", state["transformer.wte.weight"]);
        state.Add("transformer.h.0.attn.bias", Tensor.Ones([1, 1, 7, 7], DType.UInt8));
        state.Add("transformer.h.0.attn.masked_bias", Tensor.Full([], -1e4));
        File.Delete(Path.Combine(folder, "model.safetensors"));
        PyTorchFile.Save(Path.Combine(folder, "pytorch_model.bin"), state);
        Assert.Equal(expected, Logits(Gpt2Layout.Load(folder)));
        File.Delete(Path.Combine(folder, "pytorch_model.bin"));
        SafeTensors.SaveShards(folder, state, maxShardBytes: 2000);
        Assert.Equal(expected, Logits(Gpt2Layout.Load(folder)));
        var model = new Gpt(Gpt2Layout.ReadConfig(Path.Combine(folder, "config.json"))).Eval();
        var report = Gpt2Layout.LoadStateDict(model, state);
        Assert.Equal(State().Count + 1, report.Loaded.Count);
        Assert.Equal(expected, Logits(model));
        state["lm_head.weight"] = Tensor.Zeros(11, 8);
        AssertMessage("wte.weight and lm_head.weight are one tensor of this model, but the state has different values",
            () => Gpt2Layout.LoadStateDict(model, state));
    }

    [Fact]
    public void Names_of_ones_own_are_renamed_first()
    {
        Write(Config);
        SafeTensors.Save(Path.Combine(folder, "model.safetensors"), State());
        var expected = Logits(Gpt2Layout.Load(folder));
        var state = State().ToDictionary(entry => $"backbone.transformer.{entry.Key}", entry => entry.Value);
        SafeTensors.Save(Path.Combine(folder, "model.safetensors"), state);
        AssertMessage("names of the state begin with 'backbone.transformer.'", () => Gpt2Layout.Load(folder));
        var options = new LoadOptions { Names = new NameMap().Add("backbone.**", "**") };
        var model = Gpt2Layout.Load(folder, options);
        Assert.Equal(expected, Logits(model));
        Assert.Equal(State().Count, Gpt2Layout.LoadStateDict(model, state, options).Loaded.Count);
        state.Add("wte.weight", state["backbone.transformer.wte.weight"]);
        AssertMessage("Gpt2Layout: two tensors of the state are wte.weight, the second 'wte.weight'; leave one out",
            () => Gpt2Layout.LoadStateDict(model, state, options));
    }

    [Fact]
    public void The_type_is_the_one_that_holds_all_values()
    {
        Write(Config);
        foreach (var (types, expected) in ((DType[], DType)[])
            [([DType.Float16, DType.Float16], DType.Float16), ([DType.BFloat16, DType.Float32], DType.Float32),
                ([DType.BFloat16, DType.Float16], DType.Float32), ([DType.Float64, DType.Float32], DType.Float64)])
        {
            var state = State().ToDictionary(entry => entry.Key,
                entry => entry.Value.To(types[entry.Key.Contains("ln_", StringComparison.Ordinal) ? 1 : 0]));
            SafeTensors.Save(Path.Combine(folder, "model.safetensors"), state);
            var model = Gpt2Layout.Load(folder);
            Assert.Equal(expected, model.DType);
            Assert.False(model.IsTraining);
            var own = model.StateDict();
            Assert.True(own["norm.weight"].HasBitsOf(state["ln_f.weight"].To(expected)));
            Assert.True(own["layers.1.linear2.weight"].HasBitsOf(
                state["h.1.mlp.c_proj.weight"].To(expected).Transpose().Contiguous()));
        }
    }

    [Fact]
    public void A_model_goes_into_a_folder_and_comes_back()
    {
        foreach (var options in (GptOptions[])
        [
            new() { Vocabulary = 11, Context = 7, Width = 8, Heads = 2, Layers = 2 },
            new()
            {
                Vocabulary = 5, Context = 4, Width = 6, Heads = 3, Layers = 1, FeedForward = 10, Epsilon = 1e-3,
                Activation = FeedForwardActivation.GeluTanh, Dropout = 0.2, IsTied = false,
            },
        ])
        {
            var model = FormulaWeights.Fill(new Gpt(options)).Eval();
            var place = Path.Combine(folder, $"tied {options.IsTied}");
            Gpt2Layout.Save(model, place);
            SafeTensors.Inspect(Path.Combine(place, "model.safetensors"), out var metadata);
            Assert.Equal("pt", metadata["format"]);
            var read = Gpt2Layout.Load(place);
            Assert.Equal(options with { Epsilon = options.Epsilon ?? 1e-5 }, read.Options);
            Assert.All(model.StateDict(), entry =>
                Assert.True(entry.Value.HasBitsOf(read.StateDict()[entry.Key]), entry.Key));
            Assert.Equal(options.IsTied, !Gpt2Layout.StateDict(model).ContainsKey("lm_head.weight"));
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_published_names()
    {
        AssertMessage("config.json", () => Gpt2Layout.Load(folder), typeof(FileNotFoundException));
        Write(Config);
        AssertMessage("found no file of tensors in this folder", () => Gpt2Layout.Load(folder));
        var state = State();
        state.Remove("h.1.attn.c_attn.weight");
        state.Add("h.1.attn.c_atn.weight", Tensor.Zeros(8, 24));
        SafeTensors.Save(Path.Combine(folder, "model.safetensors"), state);
        AssertMessage("missing h.1.attn.c_attn.weight, unknown h.1.attn.c_atn.weight (nearest: h.1.attn.c_attn.weight)",
            () => Gpt2Layout.Load(folder));
        Assert.Equal(new Gpt(Gpt2Layout.ReadConfig(Path.Combine(folder, "config.json"))).DType,
            Gpt2Layout.Load(folder, new() { IsStrict = false }).DType);
        state = State();
        state["h.0.mlp.c_fc.weight"] = state["h.0.mlp.c_fc.weight"].Transpose().Contiguous();
        SafeTensors.Save(Path.Combine(folder, "model.safetensors"), state);
        AssertMessage("h.0.mlp.c_fc.weight must be (8, 32) float32: found (32, 8) F32", () => Gpt2Layout.Load(folder));
        state = State();
        state.Add("transformer.wte.weight", state["wte.weight"]);
        SafeTensors.Save(Path.Combine(folder, "model.safetensors"), state);
        AssertMessage("found both ", () => Gpt2Layout.Load(folder));
        // No memory is taken for what the file has no tensors for.
        SafeTensors.Save(Path.Combine(folder, "model.safetensors"), State());
        Write(Config.Replace("\"vocab_size\": 11", "\"vocab_size\": 20000000", StringComparison.Ordinal));
        AssertMessage("config.json: it takes more memory than the tensors of its file account for",
            () => Gpt2Layout.Load(folder));
        Write(Config.Replace("\"n_head\": 2", "\"n_head\": 3", StringComparison.Ordinal));
        AssertMessage("config.json: MultiHeadAttention: the heads must divide the width: found 3 heads of a width of 8",
            () => Gpt2Layout.Load(folder));
        foreach (var (from, to, message) in ((string, string, string)[])
        [
            ("gpt2", "llama", "'model_type' is 'llama'"), ("\"n_layer\"", "\"layers\"", "'n_layer' is missing"),
            ("gelu_new", "selu", "'activation_function' is 'selu', which is none of gelu, gelu_new"),
            ("\"n_ctx\": 7", "\"scale_attn_by_inverse_layer_idx\": true", "is not false: such models are computed"),
            ("{", "[{", "does not parse"),
        ])
        {
            Write(Config.Replace(from, to, StringComparison.Ordinal));
            AssertMessage(message, () => Gpt2Layout.Load(folder));
        }
        AssertMessage("Gpt2Layout: GPT-2 has learned positions, layer normalization, and keys and values for each "
            + "head: found positions Rotary, norm Layer, 2 of 4 heads", () => Gpt2Layout.Save(new Gpt(
                new() { Vocabulary = 3, Positions = PositionKind.Rotary, KeyValueHeads = 2, Layers = 1 }), folder));
    }

    private void Compare(string[] lines)
    {
        Write(Config);
        SafeTensors.Save(Path.Combine(folder, "model.safetensors"), State());
        var model = Gpt2Layout.Load(folder);
        Assert.Equal(0.25, model.Options.Dropout);
        Assert.Equal(
            lines.Where(line => line.StartsWith("state ", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
            Gpt2Layout.StateDict(model)
                .Select(one => $"state | {one.Key} {string.Join(' ', one.Value.Shape.Sizes.ToArray())}")
                .Order(StringComparer.Ordinal));
        double[] expected = [.. lines[^1].Split(" | ")[1].Split(' ')
            .Select(text => double.Parse(text, CultureInfo.InvariantCulture))];
        foreach (var (type, tolerance) in ((DType, double)[])[(DType.Float32, 1e-5), (DType.Float64, 1e-12)])
        {
            model.To(type);
            using var _ = new NoGrad();
            var found = model.Forward(Tokens).To(DType.Float64).ToArray<double>();
            Assert.Equal(expected.Length, found.Length);
            for (var i = 0; i < found.Length; i++)
                Assert.True(Math.Abs(found[i] - expected[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i])),
                    $"logit {i}, {type}: {found[i]}, in NumPy {expected[i]}");
        }
    }

    // The formula's weights, by published names and shapes.
    private static Dictionary<string, Tensor> State() =>
        File.ReadAllLines(Path.Combine(Goldens, "gpt2.txt"))
            .Where(line => line.StartsWith("state ", StringComparison.Ordinal))
            .Select(line => line.Split(' ')[2..])
            .ToDictionary(parts => parts[0], parts => FormulaWeights.Of(parts[0],
                [.. parts[1..].Select(size => int.Parse(size, CultureInfo.InvariantCulture))]));

    private static float[] Logits(Gpt model)
    {
        using var _ = new NoGrad();
        return model.Forward(Tokens).ToArray<float>();
    }

    private void Write(string config) => File.WriteAllText(Path.Combine(folder, "config.json"), config);

    private static void AssertMessage(string part, Action act, Type? type = null)
    {
        var error = Assert.ThrowsAny<Exception>(act);
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.IsType(type ?? typeof(AdjointException), error, exactMatch: false);
    }
}
