using Adjoint.Optim;

namespace Adjoint.Tests.Optim;

/// <summary>Against the norm in float64, at every size of gradients.</summary>
public class ClipGradientsTests
{
    [Theory]
    [InlineData(3, 4, 1)]
    [InlineData(3e20, 4e20, 1)]
    [InlineData(3e-25, 4e-25, 1e-25)]
    [InlineData(3e38, 2e38, 1)]
    [InlineData(3e38, 2e38, 1e-30)]
    [InlineData(3e20, 4e-25, 1e-3)]
    [InlineData(1e-45, 0, 1e-46)]
    [InlineData(3e-25, 4e-25, 1)]
    [InlineData(3e38, 2e38, double.PositiveInfinity)]
    [InlineData(0, 0, 1)]
    [InlineData(3, 4, 0)]
    public void The_norm_of_float32_neither_overflows_nor_vanishes(double first, double second, double limit)
    {
        // In one tensor, and in two.
        foreach (var parts in (float[][][])[[[(float)first, (float)second]], [[(float)first], [(float)second]]])
        {
            var parameters = parts.Select(values => With(Tensor.From(values))).ToArray();
            var all = parts.SelectMany(values => values).Select(value => (double)value).ToArray();
            var norm = Math.Sqrt(all.Sum(value => value * value));
            Assert.Equal(norm, ClipGradients.ByNorm(parameters, limit).Item(), 1e-6 * norm);
            var found = parameters.SelectMany(parameter => parameter.Grad!.ToArray<float>()).ToArray();
            for (var i = 0; i < found.Length; i++)
            {
                var expected = (float)(norm > limit ? all[i] * (limit / norm) : all[i]);
                Assert.Equal(expected, found[i], 2e-6f * Math.Abs(expected) + float.Epsilon);
            }
        }
    }

    [Theory]
    [InlineData(3e200, 4e200, 1)]
    [InlineData(3e-200, 4e-200, 1e-200)]
    [InlineData(3e-320, 4e-320, 1e-321)]
    [InlineData(1e308, 1e308, 1e300)]
    [InlineData(3, 4, 1)]
    public void The_norm_of_float64_neither_overflows_nor_vanishes(double first, double second, double limit)
    {
        var w = With(Tensor.From([first, second]));
        var norm = double.Hypot(first, second);
        Assert.Equal(norm, ClipGradients.ByNorm([w], limit).Item(), 1e-12 * norm + double.Epsilon);
        Assert.Equal(first / norm * limit, w.Grad!.ToArray<double>()[0], 1e-6 * limit);
    }

    [Fact]
    public void Elements_of_a_norm_that_float64_cannot_hold_are_clipped()
    {
        var w = With(Tensor.From([double.MaxValue, double.MaxValue]));
        Assert.Equal(double.PositiveInfinity, ClipGradients.ByNorm([w], 2).Item());
        Assert.All(w.Grad!.ToArray<double>(), value => Assert.Equal(Math.Sqrt(2), value, 1e-12));
    }

    [Fact]
    public void Random_gradients_of_every_size_are_clipped_as_in_float64()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 100; round++)
        {
            var scale = Math.Pow(10, random.NextDouble() * 80 - 43);
            var parameters = new Tensor[random.Next(1, 4)];
            for (var i = 0; i < parameters.Length; i++)
            {
                var values = new float[random.Next(1, 50)];
                for (var j = 0; j < values.Length; j++) values[j] = (float)((random.NextDouble() - 0.5) * scale);
                parameters[i] = With(Tensor.From(values));
            }
            var norm = Norm(parameters);
            var limit = norm * random.NextDouble();
            Assert.Equal(norm, ClipGradients.ByNorm(parameters, limit).Item(), 1e-5 * norm);
            // An element is within half of the smallest number.
            Assert.Equal(Math.Min(norm, limit), Norm(parameters), 1e-5 * limit + 15 * (double)float.Epsilon);
        }

        static double Norm(Tensor[] parameters)
        {
            var values = parameters.SelectMany(parameter => parameter.Grad!.ToArray<float>());
            return Math.Sqrt(values.Sum(value => (double)value * value));
        }
    }

    [Fact]
    public void A_norm_that_is_not_finite_is_told_and_changes_nothing()
    {
        foreach (var wrong in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
        {
            var (w, v) = (With(Tensor.From([1f, 2])), With(Tensor.From([wrong, 3f])));
            v.Name = "bias";
            Assert.Equal(
                float.IsNaN(wrong) ? double.NaN : double.PositiveInfinity, ClipGradients.ByNorm([w, v], 1).Item());
            var error = Assert.Throws<AdjointException>(() => ClipGradients.ByNorm([w, v], 1, errorIfNonFinite: true));
            Assert.Contains("of bias (2,), number 1, has NaN or infinity", error.Message, StringComparison.Ordinal);
            Assert.Equal([1f, 2], w.Grad!.ToArray<float>());
            Assert.Equal([wrong, 3f], v.Grad!.ToArray<float>());
        }
        var large = With(Tensor.From([double.MaxValue, double.MaxValue]));
        var tooLarge = Assert.Throws<AdjointException>(() => ClipGradients.ByNorm([large], 1, errorIfNonFinite: true));
        Assert.Contains("more than float64 holds", tooLarge.Message, StringComparison.Ordinal);
        Assert.Equal(5, ClipGradients.ByNorm([With(Tensor.From([3f, 4f]))], 1, errorIfNonFinite: true).Item(), 1e-6);
    }

    [Fact]
    public void Values_are_limited_at_every_size_and_NaN_stays()
    {
        var w = With(Tensor.From([float.NaN, float.PositiveInfinity, float.NegativeInfinity, 3e38f, -1e-45f, 0.5f]));
        ClipGradients.ByValue([w], 0.7);
        Assert.Equal([float.NaN, 0.7f, -0.7f, 0.7f, -1e-45f, 0.5f], w.Grad!.ToArray<float>());
        ClipGradients.ByValue([w], double.PositiveInfinity);
        Assert.Equal([float.NaN, 0.7f, -0.7f, 0.7f, -1e-45f, 0.5f], w.Grad!.ToArray<float>());
    }

    [Fact]
    public void Limits_out_of_range_are_refused_and_what_has_no_gradient_is_skipped()
    {
        var w = With(Tensor.From([3f, 4f]));
        foreach (var limit in (double[])[-1, double.NaN, double.NegativeInfinity])
        {
            Assert.Throws<AdjointException>(() => ClipGradients.ByNorm([w], limit));
            Assert.Throws<AdjointException>(() => ClipGradients.ByValue([w], limit));
        }
        Assert.Equal(0, ClipGradients.ByNorm([], 1).Item());
        Assert.Equal(0, ClipGradients.ByNorm([Tensor.Zeros(2).RequireGrad(), With(Tensor.Zeros(0))], 1).Item());
        Assert.Equal(5, ClipGradients.ByNorm([Tensor.Zeros(2).RequireGrad(), w], 10).Item());
    }

    [Fact]
    public void Gradients_of_a_captured_step_are_clipped_between_its_runs()
    {
        var w = Tensor.From([3f, 4f]).RequireGrad();
        var step = CapturedStep.Create((x, _) => (x * w.Square()).Sum() * 0.5, [w]);
        var (input, label) = (Tensor.Ones(2), Tensor.Zeros(1));
        for (var i = 0; i < 5; i++)
        {
            step.Run(input, label);
            Assert.Equal(5, ClipGradients.ByNorm([w], 1).Item(), 1e-6);
            Assert.Equal(0.6f, w.Grad!.ToArray<float>()[0], 1e-6f);
        }
        Assert.True(step.IsCaptured);
    }

    [Theory, InlineData("float32"), InlineData("float64"), InlineData("bfloat16"), InlineData("huge")]
    public void Clipping_within_a_captured_function_has_the_eager_bits(string kind)
    {
        var type = Enum.GetValues<DType>().FirstOrDefault(type => type.Label() == kind, DType.Float64);
        var scale = kind == "huge" ? 1e200 : 1;
        Tensor[] Leaves() => [.. Enumerable.Range(0, 3).Select(i =>
            (Tensor.Randn([70 + i], new Generator(1, (ulong)i), DType.Float64) * scale)
                .To(type).Detach().RequireGrad())];
        Func<Tensor, Tensor> StepOf(Tensor[] leaves) => x =>
        {
            foreach (var leaf in leaves) leaf.ZeroGrad();
            leaves.Select(leaf => (leaf.Square() * 0.5).Sum()).Aggregate((a, b) => a + b).Multiply(x).Sum().Backward();
            return ClipGradients.ByNorm(leaves, 3 * scale);
        };
        var (of, ofCaptured) = (Leaves(), Leaves());
        var (eager, captured) = (StepOf(of), CapturedFunction.Create(StepOf(ofCaptured)));
        // Below the limit, and above it.
        foreach (var factor in (double[])[0.01, 1, 0.1, 2, 1e-3, 5])
        {
            var x = Tensor.Full([1], factor, type);
            var (norm, same) = (eager(x).Item(), captured.Run(x).Item());
            Assert.Equal(norm, same);
            double[][] expected = [.. of.Select(leaf => leaf.Grad!.To(DType.Float64).ToArray<double>())];
            Assert.Equal(expected, ofCaptured.Select(leaf => leaf.Grad!.To(DType.Float64).ToArray<double>()));
            var after = Math.Sqrt(expected.SelectMany(part => part).Sum(value => value / scale * (value / scale)))
                * scale;
            Assert.Equal(Math.Min(norm, 3 * scale), after, (type == DType.BFloat16 ? 1e-2 : 1e-6) * after);
        }
        Assert.True(captured.IsCaptured);
    }

    [Fact]
    public void What_the_parameter_owns_is_changed_in_place_and_what_others_hold_is_not()
    {
        var w = With(Tensor.From([3f, 4f]));
        var own = w.Grad!;
        var version = own.Version;
        ClipGradients.ByNorm([w], 10);
        Assert.Equal([3f, 4f], own.ToArray<float>());
        ClipGradients.ByNorm([w], 1);
        ClipGradients.ByValue([w], 0.7);
        Assert.Same(own, w.Grad);
        Assert.Equal([0.6f, 0.7f], own.ToArray<float>());
        Assert.Equal(version + 3, own.Version);

        // With a graph of its own: as v / 2, and as v itself.
        foreach (var rule in (Action<Tensor>[])
            [p => ClipGradients.ByNorm([p], 1).Item(), p => ClipGradients.ByValue([p], 1)])
        {
            var (u, v) = (Tensor.Zeros(2, 3).RequireGrad(), Tensor.Full([3, 2], 4.0).RequireGrad());
            foreach (var made in (Tensor[])[v.Transpose() / 2, v.Transpose()])
            {
                u.Grad = made;
                rule(u);
                Assert.NotSame(made, u.Grad);
                Assert.True(u.Grad!.ItemAt(0, 0) <= 1);
                Assert.Equal(made.Source!.Op is ViewOp ? 4 : 2, made.ItemAt(0, 0));
                Assert.Equal(4, v.ItemAt(0, 0));
                made.Sum().Backward(retainGraph: true);
            }
        }
    }

    [Fact]
    public void A_graph_that_saved_a_gradient_that_was_clipped_refuses_to_go_back()
    {
        var w = With(Tensor.From([3f, 4f]));
        var y = (w * w.Grad!).Sum();
        ClipGradients.ByNorm([w], 1);
        Assert.Contains("in place", Assert.Throws<AdjointException>(() => y.Backward()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_norm_is_that_in_float64_of_many_gradients_of_every_layout()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var (parameters, sum) = (new List<Tensor>(), 0.0);
        foreach (var length in (int[])[0, 1, 7, 31, 32, 33, 8192, 8193, 50_000])
            foreach (var type in (DType[])[DType.Float32, DType.Float64])
            {
                var values = Enumerable.Range(0, 2 * length).Select(_ => random.NextDouble() - 0.3).ToArray();
                var parameter = With(Tensor.From(values, length, 2).To(type));
                parameters.Add(parameter);
                sum += parameter.Grad!.To(DType.Float64).ToArray<double>().Sum(value => value * value);
            }
        // Transposed, with a graph: nobody's own.
        var v = Tensor.From([1f, 2, 3, 4, 5, 6], 2, 3).RequireGrad();
        parameters.Add(Tensor.Zeros(3, 2).RequireGrad());
        parameters[^1].Grad = v.Transpose();
        Assert.Equal(Math.Sqrt(sum + 91), ClipGradients.ByNorm(parameters, double.PositiveInfinity).Item(), 1e-10);
    }

    private static Tensor With(Tensor gradient)
    {
        var parameter = Tensor.Zeros(gradient.Shape, gradient.DType).RequireGrad();
        parameter.Grad = gradient;
        return parameter;
    }
}
