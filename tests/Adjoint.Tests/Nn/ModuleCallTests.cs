using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Tests.Nn;

/// <summary>A module with two inputs and two outputs has what a layer has.</summary>
public class ModuleCallTests
{
    private readonly Generator random = new(7);

    [Fact]
    public void It_computes_learns_and_has_its_parameters_by_path()
    {
        var cell = new Cell(3, 4, random);
        Assert.Equal(
            ["input.weight", "input.bias", "memory.weight", "memory.bias"],
            cell.NamedParameters().Select(parameter => parameter.Name));
        var (x, state) = (Tensor.Randn([2, 3], random), Tensor.Randn([2, 4], random));
        var (y, next) = cell.Forward(x, state);
        var expected = Reference(cell, x.ToArray<float>(), state.ToArray<float>());
        Assert.All(expected.Zip(next.ToArray<float>()), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.All(
            expected.Zip(y.ToArray<float>()), pair => Assert.Equal(Math.Max(pair.First, 0), pair.Second, 1e-5));

        var optimizer = new Sgd(cell.Parameters(), 0.2);
        var losses = new List<double>();
        for (var step = 0; step < 20; step++)
        {
            (y, next) = cell.Forward(x, cell.Forward(x, state).State);
            var loss = (y - 0.5).Square().Mean() + (next - 0.5).Square().Mean();
            optimizer.ZeroGrad();
            loss.Backward();
            optimizer.Step();
            losses.Add(loss.Item());
        }
        Assert.True(losses[^1] < losses[0] / 4, $"{losses[0]} → {losses[^1]}");
    }

    [Fact]
    public void Its_errors_begin_with_the_path()
    {
        var (x, state) = (Tensor.Zeros(2, 3), Tensor.Zeros(2, 5));
        var error = Assert.Throws<AdjointException>(() => new Cell(3, 4, random).Forward(x, state));
        Assert.StartsWith("layer memory (Linear(4 → 4)): Linear: an input (n, 4)", error.Message);
        // Through a list, which computes nothing, and through a module that does without Call.
        var deep = new Stack(new Cell(3, 4, random), new Cell(4, 5, random));
        error = Assert.Throws<AdjointException>(() => deep.Forward(x, [Tensor.Zeros(2, 4), Tensor.Zeros(2, 4)]));
        Assert.StartsWith("layer cells.1.memory (Linear(5 → 5)): ", error.Message);
        var around = new Around(new Bare(new Linear(3, 4)));
        error = Assert.Throws<AdjointException>(() => around.Forward(state));
        Assert.StartsWith("layer bare.inner (Linear(3 → 4)): ", error.Message);
    }

    [Fact]
    public void A_path_is_a_name_or_goes_through_another_part()
    {
        var (relu, tanh) = (new Relu(), new Tanh());
        var model = new Sequential(new Sequential(tanh, relu), relu, new Sequential(tanh));
        Assert.Equal("1", model.PathOf(relu));
        Assert.Equal("0.0", model.PathOf(tanh));
        Assert.Equal("0", model.PathOf(model[0]));
        Assert.Null(model.PathOf(model));
        Assert.Null(model.PathOf(new Relu()));
    }

    [Fact]
    public void Hooks_see_lists_and_may_replace_what_comes_out()
    {
        var cell = new Cell(3, 4, random);
        var (x, state) = (Tensor.Randn([2, 3], random), Tensor.Randn([2, 4], random));
        var plain = cell.Forward(x, state);
        var seen = new List<string>();
        using (cell.RegisterForwardHook((module, inputs, outputs) =>
        {
            Assert.Same(cell, module);
            Assert.Equal<Tensor?>([x, state], inputs);
            seen.Add(string.Join(' ', outputs.Select(output => output.Shape)));
            return [outputs[0] * 2, outputs[1]];
        }))
        using (cell.RegisterForwardHook((_, _, outputs) => [outputs[0] + 1, outputs[1]]))
        {
            var (y, next) = cell.Forward(x, state);
            Assert.Equal(plain.Y.ToArray<float>().Select(value => value * 2 + 1), y.ToArray<float>());
            Assert.Equal(plain.State.ToArray<float>(), next.ToArray<float>());
        }
        Assert.Equal(["(2, 4) (2, 4)"], seen);
        using (cell.RegisterForwardHook((_, _, outputs) => [outputs[0]]))
        {
            var error = Assert.Throws<AdjointException>(() => cell.Forward(x, state));
            Assert.Equal(
                "Cell: a forward hook must return as many outputs as it saw, or null: found 1 for 2", error.Message);
        }
        Assert.Equal(plain.Y.ToArray<float>(), cell.Forward(x, state).Y.ToArray<float>());
    }

    [Fact]
    public void Backward_hooks_know_the_number_of_the_output()
    {
        var cell = new Cell(3, 4, random);
        var (x, state) = (Tensor.Randn([2, 3], random), Tensor.Randn([2, 4], random).RequireGrad());
        var arrived = new List<(int, float[])>();
        using (cell.RegisterBackwardHook((_, output, gradient) =>
        {
            arrived.Add((output, gradient.ToArray<float>()));
            return output == 0 ? gradient * 0 : null;
        }))
        {
            var (y, next) = cell.Forward(x, state);
            (y.Sum() * 3 + next.Sum() * 5).Backward();
        }
        Assert.Equal([0, 1], arrived.Select(one => one.Item1));
        Assert.All(arrived[0].Item2, value => Assert.Equal(3, value));
        Assert.All(arrived[1].Item2, value => Assert.Equal(5, value));
        var found = state.Grad!.ToArray<float>();
        state.ZeroGrad();
        (cell.Forward(x, state).State.Sum() * 5).Backward();
        Assert.Equal(state.Grad!.ToArray<float>(), found);
    }

    [Fact]
    public void One_tensor_that_comes_out_twice_has_one_gradient()
    {
        var twice = new Twice();
        var calls = new List<int>();
        twice.RegisterBackwardHook((_, output, gradient) =>
        {
            calls.Add(output);
            return gradient * 10;
        });
        var x = Tensor.Ones(2).RequireGrad();
        var (a, b) = twice.Forward(x);
        (a + b).Sum().Backward();
        Assert.Equal([0], calls);
        Assert.Equal([60f, 60f], x.Grad!.ToArray<float>());
    }

    [Fact]
    public void Results_of_other_types_and_inputs_that_are_not_there()
    {
        var model = new Several();
        var x = Tensor.Ones(3);
        IReadOnlyList<Tensor?>? inputs = null;
        var all = 0;
        model.RegisterForwardHook((_, given, outputs) =>
        {
            (inputs, all) = (given, outputs.Count);
            return [.. outputs.Select(output => output + 1)];
        });
        Assert.Equal(2, model.One(x, null).ItemAt(0));
        Assert.Equal<Tensor?>([x, null], inputs!);
        var (a, b, c) = model.Three(x);
        Assert.Equal([2, 3, 4, 3], (double[])[a.ItemAt(0), b.ItemAt(0), c.ItemAt(0), all]);
        Assert.Equal([2, 3, 4, 5], model.Many(x).Select(y => y.ItemAt(0)));
        var pair = model.Record(x);
        Assert.Equal((2, 3, "record"), (pair.Mean.ItemAt(0), pair.Spread.ItemAt(0), pair.Text));
    }

    [Fact]
    public void A_trace_knows_the_module()
    {
        var cell = new Cell(3, 4, random);
        Tensor y;
        using (new Tracing()) y = cell.Forward(Tensor.Zeros(2, 3), Tensor.Zeros(2, 4)).Y;
        Assert.Same(cell, y.Source!.Trace!.Scope!.Part);
        var linear = y.Source.Inputs[0].Source!.Inputs[0].Source!.Inputs[0].Source!.Trace!.Scope!;
        Assert.Equal("input", ((Module)linear.Outer!.Part).PathOf((Module)linear.Part));
    }

    [Fact]
    public void Without_gradients_what_it_returns_stays_and_what_layers_made_on_the_way_goes()
    {
        var cell = new Cell(64, 256, random);
        var (x, state) = (Tensor.Randn([64, 64], random), Tensor.Randn([64, 256], random));
        var expected = cell.Forward(x, state);
        using var _ = new NoGrad();
        List<(Tensor Y, Tensor State)> kept = [];
        for (var i = 0; i < 4; i++) kept.Add(cell.Forward(x, state));
        Assert.All(kept, pair => Assert.Equal(expected.Y.ToArray<float>(), pair.Y.ToArray<float>()));
        Assert.All(kept, pair => Assert.Equal(expected.State.ToArray<float>(), pair.State.ToArray<float>()));
    }

    [Theory]
    [InlineData("switched to use")]
    [InlineData("hooked")]
    [InlineData("grown")]
    public void A_captured_step_notices_that_it_was(string change)
    {
        var (captured, eager) = (new Noisy(new Generator(1)), new Noisy(new Generator(1)));
        var x = Tensor.Randn([4, 3], random);
        var step = CapturedStep.Create((x, _) => captured.Forward(x, x).Y.Square().Mean(), captured.Parameters());
        for (var i = 0; i < 6; i++)
        {
            if (i == 3)
                foreach (var model in (Noisy[])[captured, eager])
                    if (change == "hooked") model.RegisterForwardHook((_, _, all) => [all[0] * 3, all[1]]);
                    else if (change == "grown") model.Layers.Add(new Scale(5));
                    else model.Eval();
            eager.Weight.ZeroGrad();
            var loss = eager.Forward(x, x).Y.Square().Mean();
            loss.Backward();
            Assert.Equal(loss.Item(), step.Run(x, x).Item());
            Assert.Equal(eager.Weight.Grad!.ToArray<float>(), captured.Weight.Grad!.ToArray<float>());
        }
        Assert.True(step.IsCaptured);
    }

    [Fact]
    public void A_summary_says_what_it_knows()
    {
        var model = new Stack(new Cell(3, 4, random), new Cell(4, 5, random));
        var without = model.Summary();
        Assert.Matches(@"cells\.0 Cell +36\r?\n", without);
        Assert.Matches(@"cells\.1 Cell +55\r?\n", without);
        Assert.Matches(@"unused Linear\(2 → 2\) +6\r?\n", without);
        Assert.Matches(@"itself first +1\r?\n", without);
        Assert.Matches(@"total +98\r?\n", without);
        Assert.Contains("Summary(() => model.Forward(…))", without);
        Assert.DoesNotContain("output", without);
        var with = model.Summary(() => model.Forward(Tensor.Zeros(2, 3), [Tensor.Zeros(2, 4), Tensor.Zeros(2, 5)]));
        Assert.Matches(@"cells\.0 Cell +\(2, 4\), \(2, 4\) +36\r?\n", with);
        Assert.Matches(@"cells\.1 Cell +\(2, 5\), \(2, 5\) +55\r?\n", with);
        Assert.Matches(@"unused Linear\(2 → 2\) +not called +6\r?\n", with);
        Assert.Matches(@"itself first +\(2, 5\), \(2, 4\), \(2, 5\) +1\r?\ntotal +98\r?\n", with);
        Assert.True(model.IsTraining);
    }

    private static double[] Reference(Cell cell, float[] x, float[] state)
    {
        var own = cell.StateDict().ToDictionary(entry => entry.Key, entry => entry.Value.ToArray<float>());
        var (inputs, width) = (x.Length / 2, state.Length / 2);
        var result = new double[2 * width];
        for (var n = 0; n < 2; n++)
            for (var j = 0; j < width; j++)
            {
                var sum = (double)own["input.bias"][j] + own["memory.bias"][j];
                for (var i = 0; i < inputs; i++) sum += (double)x[n * inputs + i] * own["input.weight"][j * inputs + i];
                for (var i = 0; i < width; i++)
                    sum += (double)state[n * width + i] * own["memory.weight"][j * width + i];
                result[n * width + j] = Math.Tanh(sum);
            }
        return result;
    }

    private sealed class Cell : Module
    {
        private readonly Linear input, memory;

        public Cell(int inputs, int width, Generator random)
        {
            input = AddChild("input", new Linear(inputs, width, generator: random));
            memory = AddChild("memory", new Linear(width, width, generator: random));
        }

        public (Tensor Y, Tensor State) Forward(Tensor x, Tensor state) => Call([x, state], () =>
        {
            var next = (input.Forward(x) + memory.Forward(state)).Tanh();
            return (next.Relu(), next);
        });
    }

    private sealed class Stack : Module
    {
        private readonly ModuleList<Cell> cells;
        private readonly Tensor first;

        public Stack(params ReadOnlySpan<Cell> cells)
        {
            this.cells = AddChild("cells", new ModuleList<Cell>(cells));
            AddChild("unused", new Linear(2, 2));
            first = AddParameter("first", Tensor.Ones(1));
        }

        public Tensor[] Forward(Tensor x, Tensor[] states) => Call([x, .. states], () =>
        {
            var next = new Tensor[cells.Count];
            var y = x * first;
            for (var i = 0; i < next.Length; i++) (y, next[i]) = cells[i].Forward(y, states[i]);
            return (Tensor[])[y, .. next];
        });
    }

    private sealed class Bare : Module
    {
        private readonly Layer inner;

        public Bare(Layer inner) => this.inner = AddChild("inner", inner);

        public Tensor Compute(Tensor x) => inner.Forward(x);
    }

    private sealed class Around : Module
    {
        private readonly Bare bare;

        public Around(Bare bare) => this.bare = AddChild("bare", bare);

        public Tensor Forward(Tensor x) => Call([x], () => bare.Compute(x));
    }

    private sealed class Twice : Module
    {
        public (Tensor A, Tensor B) Forward(Tensor x) => Call([x], () =>
        {
            var y = x * 3;
            return (y, y);
        });
    }

    private sealed class Several : Module
    {
        public Tensor One(Tensor x, Tensor? mask) => Call([x, mask], () => x * (mask ?? Tensor.Ones(1)));

        public (Tensor, Tensor, Tensor) Three(Tensor x) => Call([x], () => (x, x * 2, x * 3));

        public Tensor[] Many(Tensor x) => Call([x], () => (Tensor[])[x, x * 2, x * 3, x * 4]);

        public Pair Record(Tensor x) => Call(
            [x], () => new Pair(x, x * 2, "record"), pair => [pair.Mean, pair.Spread],
            all => new Pair(all[0], all[1], "record"));
    }

    private sealed record Pair(Tensor Mean, Tensor Spread, string Text);

    private sealed class Noisy : Module
    {
        private readonly Dropout dropout;

        public Noisy(Generator random)
        {
            Weight = AddParameter("weight", Tensor.Randn([3], random));
            dropout = AddChild("dropout", new Dropout(0.5, random));
            Layers = AddChild("layers", new ModuleList<Layer>());
        }

        public Tensor Weight { get; }

        public ModuleList<Layer> Layers { get; }

        public (Tensor Y, Tensor X) Forward(Tensor x, Tensor again) => Call([x, again], () =>
        {
            var y = dropout.Forward(x * Weight + again);
            foreach (var layer in Layers) y = layer.Forward(y);
            return (y, x);
        });
    }
}
