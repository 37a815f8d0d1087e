using Adjoint.Optim;

namespace Adjoint.Tests.Autograd;

/// <summary>A tensor owns its gradient, however it came there.</summary>
public class OwnGradientTests
{
    public static TheoryData<string> Views =>
        ["transposed", "expanded", "sliced", "strided", "offset", "plain", "wants a gradient"];

    [Theory, MemberData(nameof(Views))]
    public void A_gradient_that_is_set_to_a_view_adds_up_and_leaves_what_it_viewed_alone(string kind)
    {
        foreach (var size in (int[])[3, 60]) // below and above a page
        {
            var source = Tensor.Randn([size + 2, size + 2], new Generator(4), DType.Float64);
            if (kind == "wants a gradient") source.RequireGrad();
            var before = source.ToArray<double>();
            Tensor View()
            {
                using var _ = new NoGrad();
                return kind switch
                {
                    "transposed" => source[..size, ..size].Transpose(),
                    "expanded" => source[..1, ..1].Expand(size, size),
                    "sliced" => source[..size, ..size],
                    "strided" => source[1..(size + 1), 2..],
                    "offset" => source.Reshape(-1)[7..(7 + size * size)].Reshape(size, size),
                    _ => source[..size, ..size].Contiguous(),
                };
            }

            var w = Tensor.Randn([size, size], new Generator(5), DType.Float64).RequireGrad();
            var view = View();
            var values = view.ToArray<double>();
            w.Grad = view;
            Assert.Equal(values, w.Grad.ToArray<double>());
            (w * 2).Sum().Backward();
            Assert.Equal(values.Select(value => value + 2), w.Grad.ToArray<double>());
            (w * 3).Sum().Backward();
            Assert.Equal(values.Select(value => value + 2 + 3), w.Grad.ToArray<double>());
            var start = w.ToArray<double>();
            new Sgd([w], 0.5).Step();
            var stepped = start.Zip(values, (a, b) => a - 0.5 * (b + 5));
            Assert.Equal(stepped, w.ToArray<double>(), (a, b) => Math.Abs(a - b) < 1e-12);
            w.ZeroGrad();
            Assert.Null(w.Grad);
            // Nothing of all that reached the tensor that was viewed, nor took its memory away.
            Assert.Equal(before, source.ToArray<double>());
            Assert.Equal(values, view.ToArray<double>());
        }
    }

    [Fact]
    public void A_gradient_of_another_shape_or_type_is_refused()
    {
        var w = Tensor.Ones(2, 3).RequireGrad();
        Tensor[] wrong =
            [Tensor.Ones(3, 2), Tensor.Ones(6), Tensor.Ones(1, 3), Tensor.Scalar(1), Tensor.Ones(2, 3)
                .To(DType.Float64)];
        foreach (var gradient in wrong)
        {
            var error = Assert.Throws<AdjointException>(() => w.Grad = gradient);
            Assert.Contains("expected (2, 3) float32", error.Message, StringComparison.Ordinal);
        }
        Assert.Null(w.Grad);
        w.Grad = Tensor.Ones(2, 3);
        w.Grad = null;
        Assert.Null(w.Grad);
    }

    [Fact]
    public void A_parameter_or_its_memory_as_gradient_is_a_copy()
    {
        var w = Tensor.Full([50, 50], 3).RequireGrad();
        foreach (var gradient in (Tensor[])[w, w.Detach(), w.Detach().Transpose()])
        {
            w.Grad = gradient;
            (w * 2).Sum().Backward();
            Assert.Equal(5, w.Grad!.ItemAt(7, 9));
            w.ZeroGrad();
            Assert.Equal(3, w.ItemAt(7, 9));
        }
    }

    [Fact]
    public void One_gradient_set_for_two_parameters_adds_up_in_each()
    {
        var (a, b) = (Tensor.Ones(2000).RequireGrad(), Tensor.Ones(2000).RequireGrad());
        (a * 1).Sum().Backward();
        b.Grad = a.Grad;
        (a * 10 + b * 100).Sum().Backward();
        Assert.Equal([11f, 101], [a.Grad!.ItemAt(0), b.Grad!.ItemAt(0)]);
        a.ZeroGrad();
        Assert.Equal(101, b.Grad.ItemAt(5));
    }

    [Fact]
    public void A_gradient_with_a_graph_can_be_set_and_gone_on_with()
    {
        var x = Tensor.From(new[] { 2.0 }).RequireGrad();
        x.Grad = Differentiation.Gradients(x.Pow(3), [x], createGraph: true)[0];
        Assert.Equal(12, Differentiation.Gradients(x.Grad!, [x], retainGraph: true)[0]!.Item());
        (x * 5).Sum().Backward();
        Assert.Equal(17, x.Grad!.Item());
    }

    [Theory, InlineData(4), InlineData(3000)]
    public void Retained_gradients_of_both_sides_of_a_sum_are_each_their_own(int size)
    {
        var x = Tensor.Ones(size).RequireGrad();
        var (a, b) = ((x * 2).RetainGrad(), (x * 3).RetainGrad());
        var sum = (a + b).RetainGrad();
        sum.Sum().Backward();
        a.Grad!.Fill(7);
        Assert.Equal([7.0, 1, 1, 5], [a.Grad!.ItemAt(1), b.Grad!.ItemAt(1), sum.Grad!.ItemAt(1), x.Grad!.ItemAt(1)]);
        a.ZeroGrad();
        (x * x).Sum().Backward();
        (x * x).Sum().Backward();
        Assert.Equal([1.0, 1, 9], [b.Grad.ItemAt(2), sum.Grad.ItemAt(2), x.Grad.ItemAt(2)]);
    }

    [Fact]
    public void A_retained_gradient_adds_up_over_passes_through_one_graph()
    {
        var x = Tensor.Ones(2000).RequireGrad();
        var y = (x * 2).RetainGrad();
        var loss = (y * 3).Sum();
        loss.Backward(retainGraph: true);
        loss.Backward();
        Assert.Equal([6.0, 12], [y.Grad!.ItemAt(0), x.Grad!.ItemAt(0)]);
    }

    [Fact]
    public void Gradients_of_a_recorded_pass_that_share_memory_do_not_add_up_in_each_other()
    {
        // A sum hands the same gradient to both sides; with createGraph nothing is copied.
        var (a, b) = (Tensor.Ones(2000).RequireGrad(), Tensor.Ones(2000).RequireGrad());
        (a + b).Sum().Backward(createGraph: true);
        (a * 10).Sum().Backward();
        Assert.Equal([11.0, 1], [a.Grad!.ItemAt(0), b.Grad!.ItemAt(0)]);
        a.ZeroGrad();
        Assert.Equal(1, b.Grad.ItemAt(0));
    }

    [Fact]
    public void Gradients_that_are_asked_for_are_each_their_own()
    {
        var (a, b) = (Tensor.Ones(2000).RequireGrad(), Tensor.Ones(2000).RequireGrad());
        foreach (var createGraph in (bool[])[false, true])
        {
            var (sum, given) = (a + b, Tensor.Ones(2000));
            var found = Differentiation.Gradients(sum, [a, b, sum], given, createGraph: createGraph);
            found[0]!.Fill(5);
            Assert.Equal([5.0, 1, 1], found.Select(gradient => gradient!.ItemAt(0)));
            Assert.Equal(1, given.ItemAt(0));
        }
    }

    [Fact]
    public void A_given_gradient_that_wants_one_itself_keeps_its_graph_only_where_one_is_recorded()
    {
        var (x, given) = (Tensor.From(new[] { 2.0 }).RequireGrad(), Tensor.From(new[] { 3.0 }).RequireGrad());
        var recorded = Differentiation.Gradients(x * 1 + x, [x], given, createGraph: true)[0]!;
        Assert.Equal([6, 2], [recorded.Item(), Differentiation.Gradients(recorded.Sum(), [given])[0]!.Item()]);
        x.Backward(given);
        Assert.False(x.Grad!.RequiresGrad);
        (x * 1).Backward(given);
        Assert.Equal([6.0, 3], [x.Grad.Item(), given.Item()]);
    }

    [Fact]
    public void What_hooks_keep_stays_what_it_was()
    {
        var x = Tensor.Ones(2000).RequireGrad();
        var kept = new List<Tensor>();
        Tensor? Keep(Tensor gradient)
        {
            kept.Add(gradient);
            return null;
        }
        x.RegisterHook(Keep);
        for (var i = 1; i <= 5; i++)
        {
            var y = x * 2;
            y.RegisterHook(Keep);
            (y * (double)i + y + x).Sum().Backward();
        }
        var expected = Enumerable.Range(1, 5).SelectMany(i => (double[])[i + 1, 2 * (i + 1) + 1]);
        Assert.Equal(expected, kept.Select(gradient => gradient.ItemAt(3)));
        Assert.Equal(Enumerable.Range(1, 5).Sum(i => 2.0 * (i + 1) + 1), x.Grad!.ItemAt(3));
    }

    [Fact]
    public void What_an_op_saves_of_its_input_stays_with_the_caller()
    {
        var (w, data) = (Tensor.Ones(2000).RequireGrad(), Tensor.Full([2000], 3));
        for (var i = 0; i < 4; i++) Op.Apply(new SavingOp(), w, data).Sum().Backward();
        Assert.Equal(3, data.ItemAt(0));
        Assert.Equal(12, w.Grad!.ItemAt(0));
    }

    private sealed class SavingOp : Op
    {
        public override string Name => "Saving";
        public override string Formula => "y = x·c";
        public override string Derivation => "∂L/∂x = g·c";
        public override Saves Saves => Saves.Nothing;
        public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

        public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
        {
            context.Save(inputs[1]);
            output.CopyFrom<float>([.. inputs[0].ToArray<float>().Zip(inputs[1].ToArray<float>(), (x, c) => x * c)]);
        }

        public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient * node.Saved[0], null];
    }
}
