using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Nn;

public class ModuleListTests
{
    private readonly Generator random = new(11);

    [Fact]
    public void A_list_names_its_modules_by_place()
    {
        var list = new ModuleList<Linear>([new(2, 3), new(3, 4)]) { new(4, 5) };
        Assert.Equal(3, list.Count);
        Assert.Equal((4, 5), (list[2].Inputs, list[^1].Outputs));
        Assert.Equal([2, 3, 4], list.Select(layer => layer.Inputs));
        Assert.Equal(["0.weight", "0.bias", "1.weight", "1.bias", "2.weight", "2.bias"], list.StateDict().Keys);
        Assert.False(list.Eval()[1].IsTraining);
        Assert.Equal("ModuleList(3)", list.ToString());
        foreach (var index in (int[])[-1, 3])
        {
            var error = Assert.Throws<AdjointException>(() => list[index]);
            Assert.Equal($"ModuleList: there is no module {index} among 3; they count from 0", error.Message);
        }
    }

    [Fact]
    public void A_dictionary_names_its_modules_by_key()
    {
        var heads = new ModuleDict<Layer>(("mean", new Linear(2, 1))) { { "spread", new Softplus() } };
        Assert.Equal(["mean", "spread"], heads.Keys);
        Assert.Equal(2, heads.Values.Count());
        Assert.Equal(["mean.weight", "mean.bias"], heads.NamedParameters().Select(parameter => parameter.Name));
        Assert.IsType<Softplus>(heads["spread"]);
        Assert.True(heads.TryGetValue("mean", out var mean) && mean is Linear && heads.ContainsKey("mean"));
        Assert.False(heads.TryGetValue("none", out _));
        Assert.Equal("ModuleDict(mean, spread)", heads.ToString());
        Refused("ModuleDict: there is no module 'none'; there are mean, spread", () => heads["none"]);
        Refused("ModuleDict: there is a 'mean' already; names within a module must be unique", () => Add("mean"));
        Refused("ModuleDict: a name in a module must be a word without dots: found 'a.b'", () => Add("a.b"));
        Assert.Equal(2, heads.Count);

        object Add(string key)
        {
            heads.Add(key, new Relu());
            return heads;
        }

        static void Refused(string message, Func<object> call) =>
            Assert.Equal(message, Assert.Throws<AdjointException>(() => call()).Message);
    }

    [Fact]
    public void A_list_is_no_part_of_what_is_in_it()
    {
        var outer = new Holder();
        var error = Assert.Throws<AdjointException>(() => outer.List.Add(outer));
        Assert.Contains("'0' holds this module itself", error.Message);
        Assert.Empty(outer.List);
        Assert.Throws<ArgumentNullException>(() => outer.List.Add(null!));
    }

    [Fact]
    public void A_module_in_two_places_has_its_parameters_once()
    {
        var shared = new Linear(3, 3, generator: random);
        var named = new ModuleDict<Module>(("again", shared), ("other", new Linear(3, 3)));
        var list = new ModuleList<Module>(shared, named);
        Assert.Equal(
            ["0.weight", "0.bias", "1.other.weight", "1.other.bias"],
            list.NamedParameters().Select(parameter => parameter.Name));
        Assert.Equal(
            ["0.weight", "0.bias", "1.again.weight", "1.again.bias", "1.other.weight", "1.other.bias"],
            list.StateDict().Keys);
        Assert.Matches(@"1\.again Linear\(3 → 3\) \(shared\) +0\r?\n", list.Summary());
        Assert.Matches(@"total +24\r?\n", list.Summary());
    }

    [Fact]
    public void Tied_weights_are_one_in_optimizer_clipping_averages_and_states()
    {
        var model = new Tied(6, 4, random);
        var weight = model.Embedding.Weight;
        Assert.Equal(["bias", "embedding.weight"], model.NamedParameters().Select(parameter => parameter.Name));
        var index = Tensor.From(new long[] { 0, 3, 5, 3 });
        var (average, adam) = (new WeightAverage(model, 0.5), new Adam(model.Parameters(), 0.01));
        Loss.CrossEntropy(model.Forward(index), index).Backward();

        // Against the same function of one plain tensor.
        var (w, b) = (weight.Detach().Clone().RequireGrad(), Tensor.Zeros(6).RequireGrad());
        Loss.CrossEntropy(w.Embedding(index).MatMul(w.Transpose()) + b, index).Backward();
        Assert.Equal(w.Grad!.ToArray<float>(), weight.Grad!.ToArray<float>());
        var norm = Math.Sqrt(w.Grad!.ToArray<float>().Concat(b.Grad!.ToArray<float>()).Sum(g => (double)g * g));
        Assert.Equal(norm, ClipGradients.ByNorm(model.Parameters(), 1e9).Item(), norm * 1e-6);

        var other = new Adam([w, b], 0.01);
        adam.Step();
        other.Step();
        Assert.Equal(w.ToArray<float>(), weight.ToArray<float>());
        average.Update();
        var state = model.StateDict();
        Assert.Equal(["bias", "embedding.weight"], state.Keys);
        var again = new Tied(6, 4, random);
        again.LoadStateDict(state);
        Assert.Equal(model.Forward(index).ToArray<float>(), again.Forward(index).ToArray<float>());
    }

    private sealed class Holder : Module
    {
        public Holder() => List = AddChild("list", new ModuleList<Module>());

        public ModuleList<Module> List { get; }
    }

    // The matrix that gives the rows gives the logits, too.
    private sealed class Tied : Module
    {
        private readonly Tensor bias;

        public Tied(int count, int width, Generator random)
        {
            Embedding = AddChild("embedding", new Embedding(count, width, random));
            bias = AddParameter("bias", Tensor.Zeros(count));
        }

        public Embedding Embedding { get; }

        public Tensor Forward(Tensor index) => Call(
            [index], () => Embedding.Forward(index).MatMul(Embedding.Weight.Transpose()) + bias);
    }
}
