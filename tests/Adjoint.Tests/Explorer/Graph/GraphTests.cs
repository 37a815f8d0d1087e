using System.Text;
using System.Text.Json;
using Adjoint.Explorer;
using Adjoint.Nn;
using Adjoint.Tests.Autograd;

namespace Adjoint.Tests.Explorer;

public sealed class GraphTests
{
    public static TheoryData<string> Ops() =>
        [.. OpCatalogue.All.Where(entry => entry.IsDifferentiable).Select(entry => entry.Op.Name)];

    [Fact]
    public void Gradients_are_those_of_backward_and_leave_grad_alone()
    {
        var (model, loss, _, _) = Graphs.Network();
        var graph = ComputationGraph.Of(loss);
        Assert.All(model.Parameters(), parameter => Assert.Null(parameter.Grad));
        loss.Backward(retainGraph: true);
        foreach (var parameter in model.Parameters())
            Assert.Equal(parameter.Grad!.ToArray<float>(), graph.Tensors.Single(item => item.Tensor == parameter)
                .Gradient!.ToArray<float>());
    }

    [Fact]
    public void Modules_lines_and_costs_are_noted()
    {
        var (_, loss, x, _) = Graphs.Network();
        var graph = ComputationGraph.Of(loss, new Dictionary<Tensor, string> { [x] = "x" });
        Assert.Equal(["Linear", "Tanh", "Linear", "CrossEntropy"], graph.Ops.Select(op => op.Node.Op.Name));
        Assert.Equal(["1", "2", "3", null], graph.Ops.Select(op => op.Module?.Path));
        Assert.Equal("Mlp", graph.Ops[0].Module!.Parent!.Name);
        Assert.Contains("Graphs.cs:", graph.Ops[0].Node.CalledAt, StringComparison.Ordinal);
        Assert.Contains("Graphs.cs:", graph.Ops[3].Node.Trace!.CalledAt, StringComparison.Ordinal);
        Assert.Equal(2.0 * 5 * 4 * 3, graph.Ops[0].Node.Trace!.Forward.Flops);
        // x wants no gradient: one product, for the weights.
        Assert.Equal(2.0 * 5 * 4 * 3, graph.Ops[0].Node.Trace!.Backward!.Value.Flops);
        Assert.Equal(4.0 * (15 + 12 + 4 + 20), graph.Ops[0].Node.Trace!.Forward.Bytes);
        Assert.Equal((TensorKind.Input, "x"), (graph.Ops[0].Inputs[0].Kind, graph.Ops[0].Inputs[0].Name));
        Assert.Equal((TensorKind.Root, TensorKind.Parameter), (graph.Ops[3].Outputs[0].Kind,
            graph.Ops[0].Inputs[1].Kind));
    }

    [Fact]
    public void A_line_within_a_block_is_named()
    {
        var block = new ResidualBlock(2, 2, generator: new Generator(1));
        using var tracing = new Tracing();
        var y = block.Forward(Tensor.Randn(1, 2, 4, 4));
        var add = y.Source!.Inputs[0].Source!;
        Assert.Equal("Add", add.Op.Name);
        Assert.Contains("ResNet.cs:", add.Trace!.CalledAt, StringComparison.Ordinal);
        Assert.Contains("GraphTests.cs:", add.CalledAt, StringComparison.Ordinal);
    }

    [Fact]
    public void A_whole_graph_is_shown_from_the_inputs_on()
    {
        var pixels = Tensor.From(new long[] { 0, 128, 255, 64 }, 2, 2);
        var w = Tensor.Ones(1, 2).RequireGrad();
        Tensor y;
        using (new RecordGraph()) y = (pixels.To(DType.Float32) / 255).Linear(w, Tensor.Zeros(1)).Sum();
        var graph = ComputationGraph.Of(y, new Dictionary<Tensor, string> { [pixels] = "pixels" });
        Assert.Equal(["Cast", "DivideByNumber", "Linear", "Sum"], graph.Ops.Select(op => op.Node.Op.Name));
        Assert.Equal(["Sum", "Linear"], graph.BackwardOps.Select(op => op.Node.Op.Name));
        Assert.Equal(TensorKind.Input, graph.Ops[0].Inputs[0].Kind);
        Assert.Null(graph.Ops[1].Outputs[0].Gradient);
        // y = x / 255 has slopes, though no gradient went there.
        Assert.Equal(1 / 255.0, LocalRule.Forward(graph.Ops[1], 1).Single().Terms.Single().Slope, 1e-9);
        var error = Assert.Throws<AdjointException>(() => DerivativeCheck.Run(graph.Ops[1]));
        Assert.Contains("no gradient went through it", error.Message, StringComparison.Ordinal);
        using var page = new Exploration(graph, "test", isServed: false);
        Assert.Contains("parts?op=1&element=0".Replace("&", "\\u0026", StringComparison.Ordinal),
            Encoding.UTF8.GetString(page.Offline()), StringComparison.Ordinal);
        Tensor z;
        using (new RecordGraph()) z = pixels.Reshape(4);
        var without = ComputationGraph.Of(z);
        Assert.Contains("Nothing that led to this tensor requires a gradient", without.MissingGradients,
            StringComparison.Ordinal);
        Assert.Empty(LocalRule.Forward(without.Ops[0], 0));
    }

    [Fact]
    public void Attributes_are_told()
    {
        using var page = new Exploration(ComputationGraph.Of(Tensor.Ones(2, 3).RequireGrad().Sum([1],
            keepDims: true)), "test", isServed: false);
        var op = JsonDocument.Parse(page.Graph()).RootElement.GetProperty("ops")[0];
        Assert.Equal("axes [1], keepDims true", op.GetProperty("attributes").GetString());
    }

    [Fact]
    public void Ops_are_listed_in_the_engines_order()
    {
        // Made in another order than they are used in.
        var x = Tensor.Randn(3).RequireGrad();
        var (late, early) = (x.Exp(), x.Sin());
        var both = early * late;
        var root = (both + late - early).Square().Sum();
        var arrived = new List<string>();
        foreach (var y in (Tensor[])[late, early, both])
            y.RegisterHook(_ =>
            {
                arrived.Add(y.Source!.Op.Name);
                return null;
            });
        var listed = ComputationGraph.Of(root).BackwardOps.Select(op => op.Node.Op.Name).ToArray();
        Assert.Equal(listed.Intersect(arrived), arrived);
        Assert.Equal(["Multiply", "Exp", "Sin"], arrived);
    }

    [Fact]
    public void Without_tracing_nothing_is_noted()
    {
        var x = Tensor.Randn(2, 2).RequireGrad();
        var y = x.Sigmoid();
        Assert.Null(y.Source!.Trace);
        Assert.Null(y.Source.CalledAt);
    }

    [Fact]
    public void Where_branches_meet_parts_arrive_in_order_and_add_up()
    {
        var x = Tensor.From(new[] { 2.0, -1 }).RequireGrad();
        var graph = ComputationGraph.Of((x * x + x.Exp()).Sum());
        var item = graph.Tensors.Single(tensor => tensor.Tensor == x);
        Assert.Equal(["Exp", "Multiply", "Multiply"], item.Contributions.Select(part => part.From.Node.Op.Name));
        Assert.Equal([Math.Exp(2), Math.Exp(-1)], item.Contributions[0].Value.ToArray<double>(), Close);
        Assert.Equal([2.0, -1], item.Contributions[1].Value.ToArray<double>());
        Assert.Equal([4 + Math.Exp(2), -2 + Math.Exp(-1)], item.Gradient!.ToArray<double>(), Close);
        using var page = new Exploration(graph, "test", isServed: false);
        var two = JsonDocument.Parse(page.Tensor(item.Id, "gradient", 2))
            .RootElement.GetProperty("values")[0].GetDouble();
        Assert.Equal(Math.Exp(2) + 2, two, Close);
    }

    [Fact]
    public void An_op_with_several_outputs_is_shown_with_all_of_them()
    {
        var x = Tensor.From(new[] { 0.5, -1 }).RequireGrad();
        var all = SinCosOp.Of(x);
        var graph = ComputationGraph.Of((all[0] * 2 + all[1] * 3).Sum());
        var op = graph.Ops.Single(op => op.Node.Op is SinCosOp);
        Assert.Equal(all, op.Outputs.Select(output => output.Tensor));
        Assert.All(op.Outputs, output => Assert.Equal(TensorKind.Value, output.Kind));
        Assert.Equal(["2, 2", "3, 3", null], op.Outputs.Select(
            output => output.Gradient is { } gradient ? string.Join(", ", gradient.ToArray<double>()) : null));
        // 2 cos x − 3 sin x: a term of each output.
        var rule = LocalRule.Backward(op, 0, 1);
        Assert.Equal([(0, 1), (1, 1)], rule.Terms.Select(term => (term.Output, term.At[0])));
        Assert.Equal([Math.Cos(-1), -Math.Sin(-1)], rule.Terms.Select(term => term.Slope), Close);
        Assert.Equal(2 * Math.Cos(-1) - 3 * Math.Sin(-1), rule.Sum, Close);
        Assert.Equal(Math.Cos(-1), LocalRule.Forward(op, 1).Single().Terms.Single().Slope, Close);
        Assert.All(DerivativeCheck.Run(op), row => Assert.InRange(row.Error, 0, DerivativeCheck.Tolerance));
        using var page = new Exploration(graph, "test", isServed: false);
        var json = JsonDocument.Parse(page.Graph()).RootElement.GetProperty("ops")[op.Id];
        Assert.Equal(op.Outputs.Select(output => output.Id),
            json.GetProperty("outputs").EnumerateArray().Select(id => id.GetInt32()));
        Assert.False(json.TryGetProperty("attributes", out _));
        Assert.Contains("SinCos", Encoding.UTF8.GetString(page.Offline()), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Ops))]
    public void Products_of_every_rule_add_up_to_what_the_engine_holds(string name)
    {
        var op = Graphs.Of(OpCatalogue.All.First(entry => entry.Op.Name == name))
            .Ops.First(op => op.Node.Op.Name == name);
        for (var input = 0; input < op.Inputs.Count; input++)
        {
            if (op.Node.Trace!.Contributions[input] is not { } held) continue;
            var values = held.ToArray<double>();
            for (var element = 0; element < Math.Min(values.Length, 6); element++)
            {
                var rule = LocalRule.Backward(op, input, element);
                Assert.Equal(values[element], rule.Sum, Close);
                Assert.Equal(values[element], rule.Held);
                if (rule.Count == rule.Terms.Count)
                    Assert.Equal(rule.Sum, rule.Terms.Sum(term => term.Factor * term.Slope), Close);
            }
        }
    }

    [Theory, MemberData(nameof(Ops))]
    public void Every_rule_agrees_with_finite_differences_where_it_stands(string name)
    {
        var op = Graphs.Of(OpCatalogue.All.First(entry => entry.Op.Name == name))
            .Ops.First(op => op.Node.Op.Name == name);
        var rows = DerivativeCheck.Run(op);
        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.True(row.Error <= DerivativeCheck.Tolerance, $"{row}"));
    }

    [Fact]
    public void A_wrong_rule_is_found()
    {
        var x = Tensor.From(new[] { 1.0, 2, 3 }).RequireGrad();
        var rows = DerivativeCheck.Run(ComputationGraph.Of(Op.Apply(new WrongSquare(), x).Sum()).Ops[0]);
        Assert.All(rows, row => Assert.Equal((row.At[0] + 1) / (2.0 * (row.At[0] + 1)), row.Error, 1e-6));
    }

    [Fact]
    public void A_kink_is_told_from_an_error()
    {
        var x = Tensor.From(new[] { 0.0, 1, -1 }).RequireGrad();
        var rows = DerivativeCheck.Run(ComputationGraph.Of(x.Relu().Sum()).Ops[0]);
        Assert.Equal([true, false, false], rows.Select(row => row.IsKink));
        Assert.All(rows, row => Assert.True(row.Error < 1e-9));
    }

    [Fact]
    public void The_value_of_a_product_is_taken_apart()
    {
        var (a, b) = (Tensor.From(new[] { 1.0, 2, 3, 4 }, 2, 2).RequireGrad(), Tensor.From(new[] { 5.0, 6, 7, 8 }, 2, 2)
            .RequireGrad());
        var parts = LocalRule.Forward(ComputationGraph.Of(a.MatMul(b).Sum()).Ops[0], 1);
        Assert.Equal([(1.0, 6.0), (2.0, 8.0)], parts[0].Terms.Select(term => (term.Factor, term.Slope)));
        Assert.Equal((22, 22), (parts[0].Sum, parts[0].Held));
    }

    [Fact]
    public void A_released_graph_says_what_to_do()
    {
        var w = Tensor.Randn(64, 64).RequireGrad();
        var first = w.MatMul(w).Sum();
        first.Backward();
        w.MatMul(w).Sum().Backward();
        var error = Assert.Throws<AdjointException>(() => ComputationGraph.Of(first));
        Assert.Contains("the graph was already released", error.Message, StringComparison.Ordinal);
        Assert.Contains("explore before Backward(), or call Backward(retainGraph: true)", error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_graph_that_was_used_up_shows_values_and_says_why_gradients_are_missing()
    {
        var w = Tensor.Randn(3).RequireGrad();
        var loss = w.Exp().Sum();
        loss.Backward();
        var graph = ComputationGraph.Of(loss);
        Assert.Contains("used this graph up", graph.MissingGradients, StringComparison.Ordinal);
        Assert.Empty(graph.BackwardOps);
        Assert.Same(w.Grad, graph.Tensors.Single(item => item.Tensor == w).Gradient);
    }

    [Fact]
    public void Ten_million_elements_are_summarized()
    {
        var x = Tensor.Full((int[])[2500, 4000], 0.5);
        x.Data<float>()[7] = float.NaN;
        x.Data<float>()[9_999_999] = -3;
        var bytes = JsonNumbers.ToBytes(json => TensorView.Write(json, x));
        Assert.InRange(bytes.Length, 1000, 100_000);
        var summary = JsonDocument.Parse(bytes).RootElement.GetProperty("summary");
        Assert.Equal((10_000_000, 1, -3.0, 0.5),
            (summary.GetProperty("count").GetInt32(), summary.GetProperty("nans").GetInt32(),
                summary.GetProperty("minimum").GetDouble(), summary.GetProperty("maximum").GetDouble()));
    }

    [Fact]
    public void Half_precision_is_checked_in_float64_but_for_the_rounding_itself()
    {
        var x = Tensor.From(new[] { 0.3f, -1.7f }).RequireGrad();
        var graph = ComputationGraph.Of((x.To(DType.BFloat16) * 3).Sin().Sum());
        var (cast, rest) = (graph.Ops[0], graph.Ops.Skip(1));
        Assert.Equal("Cast", cast.Node.Op.Name);
        Assert.Contains("rounds to bfloat16",
            Assert.Throws<AdjointException>(() => DerivativeCheck.Run(cast)).Message, StringComparison.Ordinal);
        foreach (var op in rest)
            Assert.All(DerivativeCheck.Run(op), row => Assert.InRange(row.Error, 0, DerivativeCheck.Tolerance));
    }

    [Fact]
    public void Blocks_are_means_and_numbers_keep_their_digits()
    {
        var small =
            JsonDocument.Parse(
            JsonNumbers.ToBytes(
            json => TensorView.Write(json, Tensor.From(new[] { 0.1f, float.PositiveInfinity, -0f }, 3)))).RootElement;
        Assert.Equal("[0.1,\"Infinity\",-0]", small.GetProperty("values").GetRawText());
        foreach (var (tensor, text) in ((Tensor, string)[])
        [
            (Tensor.From([(BFloat16)0.1f, BFloat16.MaxValue, BFloat16.NaN]), "[0.1,3.39E+38,\"NaN\"]"),
            (Tensor.From([(Half)0.1f, Half.Epsilon]), "[0.1,6E-08]"),
            (Tensor.From([int.MinValue, 7]), "[-2147483648,7]"),
            (Tensor.From(new byte[] { 0, 255 }), "[0,255]"),
            (Tensor.From(new[] { true, false }), "[1,0]"),
        ])
        {
            var shown = JsonDocument.Parse(JsonNumbers.ToBytes(json => TensorView.Write(json, tensor))).RootElement;
            Assert.Equal(text, shown.GetProperty("values").GetRawText());
            Assert.Equal(tensor.DType.Label(), shown.GetProperty("dtype").GetString());
        }
        var values = new float[128 * 128];
        for (var i = 0; i < values.Length; i++) values[i] = i / 128 / 2 * 64 + i % 128 / 2;
        var blocks =
            JsonDocument.Parse(JsonNumbers.ToBytes(json => TensorView.Write(json, Tensor.From(values, 128, 128))))
            .RootElement.GetProperty("blocks");
        Assert.Equal(Enumerable.Range(0, 64 * 64).Select(i => (double)i), blocks.GetProperty("means").EnumerateArray()
            .Select(mean => mean.GetDouble()));
    }

    [Fact]
    public void The_saved_page_holds_the_numbers_and_asks_for_nothing()
    {
        var path = Path.GetTempFileName();
        try
        {
            var x = Tensor.From(new[] { 0.25, -0.75 }).RequireGrad();
            x.Square().Sum().ToHtml(path, "<script>alert(1)</script>");
            var page = File.ReadAllText(path, Encoding.UTF8);
            Assert.Contains("0.25,-0.75", page, StringComparison.Ordinal);
            Assert.Contains("0.5,-1.5", page, StringComparison.Ordinal);
            Assert.DoesNotContain("<script>alert", page, StringComparison.Ordinal);
            Assert.DoesNotContain("src=\"http", page, StringComparison.Ordinal);
            Assert.DoesNotContain("href=\"http", page, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static readonly IEqualityComparer<double> Close =
        EqualityComparer<double>.Create((a, b) => Math.Abs(a - b) <= 1e-9 * Math.Max(1, Math.Abs(a)), value => 0);

    private sealed class WrongSquare : Op
    {
        public override string Name => "WrongSquare";
        public override string Formula => "y = x²";
        public override string Derivation => "∂L/∂x = g · x, which forgets the 2";
        public override Saves Saves => Saves.Inputs;

        public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

        public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
            output.CopyFrom<double>(Array.ConvertAll(inputs[0].ToArray<double>(), x => x * x));

        public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient * node.Inputs[0]];
    }
}
