using Adjoint.Nn;

namespace Adjoint.Tests.Nn;

/// <summary>States that fit a model in part, under other names, in other types: what loads, what is refused.</summary>
public class StateLoadingTests
{
    private static readonly LoadOptions Loose = new() { IsStrict = false };

    [Fact]
    public void What_fits_is_loaded_and_the_rest_is_reported()
    {
        var (model, other) = (Network(1), Network(2));
        var before = Values(model);
        var state = other.StateDict().Where(entry => !entry.Key.StartsWith("3.", StringComparison.Ordinal))
            .Append(new("head.weight", Tensor.Zeros(4, 4))).ToDictionary();
        var report = model.LoadStateDict(state, Loose);
        Assert.Equal(["0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var"], report.Loaded);
        Assert.Equal(["3.weight", "3.bias"], report.Missing);
        Assert.Equal(["head.weight"], report.Unknown);
        foreach (var (name, values) in Values(model))
            Assert.Equal(name.StartsWith('3') ? before[name] : Values(other)[name], values);
        Assert.Equal(
            "loaded 6 tensors\nmissing, so kept as they were: 3.weight, 3.bias\n"
            + "unknown to the model, so left out: head.weight", report.ToString());
    }

    [Fact]
    public void Half_of_the_weights_missing_is_refused_with_names_and_remedy()
    {
        var state = Network(2).StateDict().Take(4).ToDictionary();
        Refused(Network(1), state, new(),
            "LoadStateDict: the state does not fit the model: missing 3.weight, 3.bias, 1.running_mean, 1.running_var, "
            + "unknown none; build the model with the settings it was saved with, or load what fits: new LoadOptions { "
            + "IsStrict = false }");
    }

    [Fact]
    public void Misspelled_names_are_shown_with_the_nearest()
    {
        var state = Network(2).StateDict().ToDictionary();
        state.Add("1.runing_mean", state["1.running_mean"]);
        state.Remove("1.running_mean");
        Refused(Network(1), state, new(),
            "missing 1.running_mean, unknown 1.runing_mean (nearest: 1.running_mean); build the model");
    }

    [Theory]
    [InlineData("module.", "", "names of the state begin with 'module.', as DataParallel writes them: rename them by "
        + "the rule module.**=**, LoadOptions.Names = new NameMap().Add(\"module.**\", \"**\")")]
    [InlineData("state.model.", "", "names of the state begin with 'state.model.': rename them by the rule "
        + "state.model.**=**, LoadOptions.Names = new NameMap().Add(\"state.model.**\", \"**\")")]
    [InlineData("", "net.", "names of the model begin with 'net.': rename them by the rule **=net.**, "
        + "LoadOptions.Names = new NameMap().Add(\"**\", \"net.**\")")]
    public void A_prefix_is_recognized_and_its_remedy_works(string inState, string inModel, string remedy)
    {
        var inner = Network(1);
        Module model = inModel == "" ? inner : new ModuleDict<Layer>([("net", inner)]);
        var state = Network(2).StateDict().ToDictionary(entry => inState + entry.Key, entry => entry.Value);
        Refused(model, state, new(), remedy);
        Refused(model, state, Loose, "LoadStateDict: nothing of the state fits the model: missing", remedy);
        var rule = remedy.Split('"');
        var report = model.LoadStateDict(state, new() { Names = new NameMap().Add(rule[^4], rule[^2]) });
        Assert.Equal(8, report.Renamed.Count);
        Assert.Equal((inState + "0.weight", inModel + "0.weight"), report.Renamed[0]);
        Assert.Equal(Values(Network(2)).Values, Values(inner).Values);
    }

    [Fact]
    public void Another_shape_is_refused_with_both_or_keeps_its_values()
    {
        var (model, other) = (Network(1), Network(2, classes: 5));
        var before = Values(model);
        Refused(model, other.StateDict(), Loose,
            "LoadStateDict: 3.weight must be (3, 4) float32: found (5, 4) float32; build the model with the settings "
            + "it was saved with, or let such tensors keep their values: new LoadOptions { SkipOtherShapes = true }");
        var report = model.LoadStateDict(other.StateDict(), new() { SkipOtherShapes = true });
        Assert.Equal(["3.weight (3, 4), there (5, 4)", "3.bias (3,), there (5,)"],
            report.OtherShapes.Select(one => $"{one}"));
        Assert.Equal(before["3.bias"], Values(model)["3.bias"]);
        Assert.Equal(Values(other)["0.weight"], Values(model)["0.weight"]);
        Refused(model, other.StateDict().Where(entry => entry.Key[0] == '3').ToDictionary(),
            new() { IsStrict = false, SkipOtherShapes = true }, "nothing of the state fits the model",
            "other shapes 3.weight (3, 4), there (5, 4)");
    }

    [Fact]
    public void Other_types_are_converted_where_asked_and_what_overflows_is_counted()
    {
        var model = new Linear(2, 2).To(DType.Float16);
        var state = new Dictionary<string, Tensor>
        {
            ["weight"] = Tensor.From([1, 0.1f, 1e6f, float.PositiveInfinity]).Reshape(2, 2),
            ["bias"] = Tensor.From([3L, -2L]),
        };
        Refused(model, state, new(), "LoadStateDict: weight must be (2, 2) float16: found (2, 2) float32; convert the "
            + "model first: .To(DType.Float32), or convert the values: new LoadOptions { ConvertTypes = true }");
        var report = model.LoadStateDict(state, new() { ConvertTypes = true });
        Assert.Equal(["weight float32 to float16, 1 value overflowed to ∞", "bias int64 to float16"],
            report.Converted.Select(one => $"{one}"));
        Assert.Equal([1, 0.0999755859375, double.PositiveInfinity, double.PositiveInfinity],
            model.StateDict()["weight"].To(DType.Float64).ToArray<double>());
        Assert.Equal([3, -2], model.StateDict()["bias"].To(DType.Float64).ToArray<double>());
        state["bias"] = Tensor.From([3L, 2049L]);
        Refused(model, state, new() { ConvertTypes = true },
            "LoadStateDict: bias has values that float16 does not hold, found int64; convert the tensor first");
    }

    [Fact]
    public void Fractions_are_never_cut_off()
    {
        var model = new Counting();
        var state = new Dictionary<string, Tensor> { ["num_batches_tracked"] = Tensor.From([1.5f]) };
        Refused(model, state, new() { ConvertTypes = true }, "fractions are not cut off");
        state["num_batches_tracked"] = Tensor.From([(byte)7]);
        model.LoadStateDict(state, new() { ConvertTypes = true });
        Assert.Equal([7L], model.StateDict()["num_batches_tracked"].ToArray<long>());
    }

    [Fact]
    public void The_counters_of_batch_norms_fail_no_strict_load_and_are_reported()
    {
        var model = Network(1);
        var state = Network(2).StateDict().Append(new("1.num_batches_tracked", Tensor.Scalar(9, DType.Int64)))
            .ToDictionary();
        model.LoadStateDict(state);
        Assert.Equal(Values(Network(2)).Values, Values(model).Values);
        var report = model.LoadStateDict(state, new());
        Assert.Equal(["1.num_batches_tracked"], report.Ignored);
        Assert.Empty(report.Unknown);
        Assert.Contains("\nleft out 1 tensor num_batches_tracked, PyTorch's counters", $"{report}",
            StringComparison.Ordinal);
        // Beside what is no batch norm it is a tensor like others.
        state.Add("0.num_batches_tracked", Tensor.Scalar(9, DType.Int64));
        Refused(model, state, new(), "unknown 0.num_batches_tracked");
    }

    [Fact]
    public void A_tied_parameter_needs_one_of_its_names_and_the_same_values_under_all()
    {
        var shared = new Linear(2, 2);
        var model = new Sequential(shared, new Relu(), shared);
        var (weight, bias) = (Tensor.From([1f, 2, 3, 4]).Reshape(2, 2), Tensor.From([5f, 6]));
        var state = new Dictionary<string, Tensor> { ["x.weight"] = weight, ["2.bias"] = bias };
        var names = new LoadOptions { Names = new NameMap().Add("x.*", "0.*") };
        Assert.Equal(["0.weight", "2.bias"], model.LoadStateDict(state, names).Loaded);
        Assert.Equal([1f, 2, 3, 4], shared.StateDict()["weight"].ToArray<float>());
        state.Add("2.weight", weight * 2);
        Refused(model, state, names, "LoadStateDict: 0.weight and 2.weight are one tensor of this model");
    }

    [Fact]
    public void Two_names_for_one_tensor_are_refused()
    {
        var state = Network(2).StateDict().ToDictionary();
        Refused(Network(1), state, new() { Names = new NameMap().Add("0.bias", "3.bias") },
            "NameMap: '0.bias' and '3.bias' both become '3.bias'");
    }

    // What is refused changes no bit.
    private static void Refused(Module model, IReadOnlyDictionary<string, Tensor> state, LoadOptions options,
        string message, string other = "")
    {
        var before = Values(model);
        var error = Assert.Throws<AdjointException>(() => model.LoadStateDict(state, options));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains(other, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Equal(before.Values, Values(model).Values);
    }

    private static Sequential Network(int seed, int classes = 3)
    {
        var random = new Generator((ulong)seed);
        var network = new Sequential(new Linear(2, 4, generator: random), new BatchNorm(4), new Relu(),
            new Linear(4, classes, generator: random));
        foreach (var (name, value) in network.StateDict())
            if (name.StartsWith('1')) value.CopyFrom(Tensor.From([seed, 2f * seed, 3, 4]));
        return network;
    }

    private static Dictionary<string, double[]> Values(Module model) => model.StateDict().ToDictionary(
        entry => entry.Key, entry => entry.Value.To(DType.Float64).ToArray<double>());

    private sealed class Counting : Module
    {
        internal Counting() => AddBuffer("num_batches_tracked", Tensor.From([0L]));
    }
}
