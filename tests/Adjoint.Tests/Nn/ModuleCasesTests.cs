using Adjoint.Nn;

namespace Adjoint.Tests.Nn;

/// <summary>What holds of every module: the properties of each row of <see cref="ModuleCases"/>.</summary>
public class ModuleCasesTests
{
    public static TheoryData<int, string> Rows() => [.. ModuleCases.All.Select((row, i) => (i, row.Name))];

    // Those whose batch is the axis without elements, so that another number of samples fits.
    public static TheoryData<int, string> Batched() =>
        [.. ModuleCases.All.Index().Where(one => one.Item.Input[0] == 0).Select(one => (one.Index, one.Item.Name))];

    [Fact]
    public void Every_module_has_a_row()
    {
        var missing =
            from type in typeof(Module).Assembly.GetExportedTypes()
            where type.IsSubclassOf(typeof(Layer)) && !type.IsAbstract
            where ModuleCases.All.All(row => row.Name != type.Name)
            select type.Name;
        Assert.True(
            !missing.Any(), $"{string.Join(", ", missing)}: add a row to tests/Adjoint.Tests/Nn/ModuleCases.cs");
    }

    [Theory, MemberData(nameof(Rows))]
    public void An_empty_batch_has_an_empty_result_and_gradients_of_0(int number, string name)
    {
        var row = ModuleCases.All[number];
        foreach (var training in (bool[])[true, false])
        {
            var module = row.Create();
            module.Train(training);
            var buffers = module.StateDict().ToDictionary(entry => entry.Key, entry => entry.Value.ToArray<float>());
            var x = row.Zeros();
            var y = module.Forward(x);
            Assert.Equal((Shape)row.Output, y.Shape);
            y.Sum().Backward();
            if (x.RequiresGrad) Assert.Equal(x.Shape, x.Grad!.Shape);
            foreach (var (parameter, value) in module.NamedParameters())
                Assert.True(value.Grad is { } gradient && gradient.ToArray<float>().All(g => g == 0),
                    $"{name}: gradient of {parameter}");
            foreach (var (key, value) in module.StateDict()) Assert.Equal(buffers[key], value.ToArray<float>());
        }
    }

    [Theory, MemberData(nameof(Batched))]
    public void State_makes_another_module_the_same(int number, string name)
    {
        var row = ModuleCases.All[number];
        var (one, other) = (row.Create().Eval(), row.Create().Eval());
        other.LoadStateDict(one.StateDict());
        var (y, same) = (one.Forward(row.Two(1)), other.Forward(row.Two(1)));
        Assert.Equal((Shape)(int[])[2, .. row.Output[1..]], y.Shape);
        Assert.True(y.ToArray<float>().AsSpan().SequenceEqual(same.ToArray<float>()), name);
    }

    [Theory, MemberData(nameof(Batched))]
    public void Captured_it_has_the_bits_of_the_eager_one(int number, string name)
    {
        var row = ModuleCases.All[number];
        var module = row.Create().Eval();
        Tensor Step(Tensor x)
        {
            foreach (var parameter in module.Parameters()) parameter.ZeroGrad();
            var y = module.Forward(x);
            if (y.RequiresGrad) y.Square().Sum().Backward();
            return y;
        }

        float[] Seen(Tensor y) =>
            [.. y.ToArray<float>(), .. module.Parameters().SelectMany(parameter => parameter.Grad!.ToArray<float>())];
        var captured = CapturedFunction.Create(Step);
        for (var call = 0; call < 4; call++)
        {
            var x = row.Two((ulong)call);
            var expected = Seen(Step(x));
            Assert.True(expected.AsSpan().SequenceEqual(Seen(captured.Run(x))), $"{name}, call {call}");
        }
        Assert.True(captured.IsCaptured);
    }

    [Theory, MemberData(nameof(Batched))]
    public void In_float64_it_computes_the_same_more_precisely(int number, string name)
    {
        var row = ModuleCases.All[number];
        var module = row.Create().Eval();
        var x = row.Two(1);
        var narrow = module.Forward(x).ToArray<float>();
        module.To(DType.Float64);
        var wide = module.Forward(row.IndexBelow > 0 ? x : x.To(DType.Float64)).ToArray<double>();
        for (var i = 0; i < wide.Length; i++)
            Assert.True(Math.Abs(wide[i] - narrow[i]) <= 2e-4 * Math.Max(1, Math.Abs(wide[i])),
                $"{name}[{i}]: {narrow[i]}, in float64 {wide[i]}");
    }
}
