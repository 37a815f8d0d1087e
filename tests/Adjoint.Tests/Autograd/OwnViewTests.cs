namespace Adjoint.Tests.Autograd;

/// <summary>Views that users write: by strides, inside their input or not at all.</summary>
public class OwnViewTests
{
    [Fact]
    public void A_diagonal_is_a_view_with_gradients_of_any_order()
    {
        var matrix = Tensor.Randn([4, 6], new Generator(1), DType.Float64);
        foreach (var x in (Tensor[])[matrix, matrix.Transpose(), matrix.Slice(1, 1, 3, step: 2)])
        {
            var plain = x.ToArray<double>();
            var (rows, columns) = (x.Shape[0], x.Shape[1]);
            var expected = Enumerable.Range(0, Math.Min(rows, columns)).Select(i => plain[i * columns + i]);
            Assert.Equal(expected, Diagonal(x).ToArray<double>());
            Assert.True(GradCheck.Run(x => Diagonal(x[0]).Pow(3), [x]).Passed);
            Assert.True(GradCheck.RunSecondOrder(x => Diagonal(x[0]).Pow(3), [x]).Passed);
        }
        // A view: what is written below is seen in it.
        var diagonal = Diagonal(matrix);
        matrix.Fill(7);
        Assert.Equal([7.0, 7, 7, 7], diagonal.ToArray<double>());
        diagonal.CopyFrom<double>([1, 2, 3, 4]);
        Assert.Equal([1.0, 7, 7, 7, 7, 7, 7, 2], matrix.ToArray<double>()[..8]);
    }

    [Fact]
    public void What_leaves_its_input_is_refused_and_nothing_else()
    {
        const int seed = 7;
        var random = new Random(seed);
        int inside = 0, outside = 0;
        for (var round = 0; round < 3000; round++)
        {
            var x = Tensor.Arange(random.Next(0, 25));
            int[] sizes = [.. Enumerable.Range(0, random.Next(0, 4)).Select(_ => random.Next(0, 5))];
            nint[] strides = [.. sizes.Select(_ => (nint)random.Next(0, 6))];
            nint offset = random.Next(-2, 12);
            var places = new List<nint> { offset };
            for (var axis = 0; axis < sizes.Length; axis++)
                places = [.. places.SelectMany(at =>
                    Enumerable.Range(0, sizes[axis]).Select(i => at + i * strides[axis]))];
            var view = new Look(new ViewLayout(sizes, strides, offset));
            if (places.All(at => at >= 0 && at < x.Length))
            {
                Assert.Equal(places.Select(at => (long)at), Op.Apply(view, x).ToArray<long>());
                inside++;
            }
            else
            {
                Refused("Look: a view must lie inside its input: found ", () => Op.Apply(view, x));
                outside++;
            }
        }
        Assert.True(inside > 500 && outside > 500, $"seed {seed}: {inside} inside, {outside} outside");
    }

    [Fact]
    public void A_layout_that_cannot_be_is_refused_with_its_rule()
    {
        var x = Tensor.Arange(0, 12).Reshape(3, 4);
        Unfit("found (2, 2) with strides (4, 3) from element 5 on of (3, 4) with strides (4, 1)", [2, 2], [4, 3], 5);
        Unfit("found 1 strides for (2, 2)", [2, 2], [1], 0);
        Unfit("strides of a view must be 0 or more: found -1 for axis 0 of (3,); copy in another order with " +
            "IndexSelect",
            [3], [-1], 2);
        Unfit("a view must lie inside its input", [2], [nint.MaxValue], 0);
        Unfit("a view must lie inside its input", [2, 3], [int.MaxValue, int.MaxValue], 0);
        Unfit("a view must lie inside its input", [1], [1], nint.MaxValue);
        Unfit("a view must lie inside its input", [2], [1], int.MaxValue);
        Refused("a view takes one tensor: found 2", () => Op.Apply(new Look(new(x.Shape)), x, x));
        Refused("a view takes one tensor: found 0", () => Op.Apply(new Look(new(x.Shape))));
        Refused("a view in row-major order is of a contiguous tensor: found (4, 3), a view with gaps",
            () => Op.Apply(new Look(new([12])), x.Transpose()));
        Refused("a view must lie inside its input", () => Op.Apply(new Look(new([11], 2)), x));
        Assert.Equal([2, 3, 4], Op.Apply(new Look(new([3], 2)), x).ToArray<float>());
        // An axis of one index takes no step.
        Assert.Equal([5], Op.Apply(new Look(new([1, 1], [nint.MaxValue, -3], 5)), x).ToArray<float>());
        // Of a part: to its last element, not to that of the memory.
        var part = x.Slice(0, 0, 2).Slice(1, 0, 2);
        Assert.Equal([0, 5], Op.Apply(new Look(new([2], [5], 0)), part).ToArray<float>());
        Refused("of (2, 2) with strides (4, 1)", () => Op.Apply(new Look(new([2], [6], 0)), part));
        // The library's own go through the same door.
        Refused("Permute: a view takes one tensor", () => Op.Apply(new PermuteOp([1, 0]), x, x));
        Refused("Reshape: a view must lie inside its input", () => Op.Apply(new ReshapeOp([13]), x));
        Refused("Slice: a view must lie inside its input", () => Op.Apply(new SliceOp(1, 2, 3, 1), x.Slice(0, 2, 1)));

        void Unfit(string part, int[] sizes, nint[] strides, nint offset) =>
            Refused(part, () => Op.Apply(new Look(new(sizes, strides, offset)), x));
    }

    [Fact]
    public void A_layout_stays_what_it_was_when_its_array_changes()
    {
        nint[] strides = [1];
        var layout = new ViewLayout([3], strides);
        strides[0] = 1000;
        Assert.Equal([0, 1, 2], Op.Apply(new Look(layout), Tensor.Arange(0, 3)).ToArray<float>());
    }

    [Fact]
    public void Windows_that_overlap_take_no_values_of_their_own()
    {
        var x = Tensor.Arange(0, 6);
        var windows = Windows(x, 4, 3);
        Refused("CopyFrom: elements of (4, 3) may share memory along axis 1, as windows that overlap do",
            () => windows.CopyFrom(new float[12]));
        Refused("may share memory along axis", () => windows.CopyFrom(Tensor.Ones(4, 3)));
        Refused("may share memory", () => Op.Apply(new Look(new([3, 2], [1, 2])), x).CopyFrom(new float[6]));
        Op.Apply(new Look(new([2, 3], [1, 2])), x).CopyFrom<float>([9, 8, 7, 6, 5, 4]);
        Assert.Equal([9, 6, 8, 5, 7, 4], x.ToArray<float>());
    }

    // Kernels meet rows that overlap only in views of users: each op against itself on a copy.
    [Fact]
    public void Every_op_takes_windows_that_overlap()
    {
        foreach (var entry in OpCatalogue.All)
        {
            var (ofViews, ofCopies) = (Run(view => view), Run(view => view.Clone()));
            Assert.Equal(ofCopies.Count, ofViews.Count);
            foreach (var (expected, found) in ofCopies.Zip(ofViews))
                Assert.True(Math.Abs(expected - found) <= 1e-12 * (1 + Math.Abs(expected)),
                    $"{entry.Op.Name}: {expected} of a copy, {found} of a view");

            List<double> Run(Func<Tensor, Tensor> lay)
            {
                var random = new Generator(3);
                var leaves = new List<Tensor>();
                Tensor[] inputs = [.. entry.Inputs().Select(like =>
                {
                    var length = 1 + like.Shape.Sum(size => size - 1);
                    var leaf = (Tensor.Rand([length], random, DType.Float64) + 0.5).Detach().RequireGrad();
                    leaves.Add(leaf);
                    return lay(Windows(like.DType.IsFloating() ? leaf : (leaf * 4).To(like.DType), [.. like.Shape]));
                })];
                var y = entry.Call(inputs);
                var weights = Tensor.Rand(y.Shape, random, DType.Float64);
                if (y.RequiresGrad) (y * weights).Sum().Backward();
                return [.. y.To(DType.Float64).ToArray<double>(),
                    .. leaves.SelectMany(leaf => leaf.Grad?.ToArray<double>() ?? [])];
            }
        }
    }

    [Fact]
    public void A_view_of_ones_own_is_part_of_a_captured_step()
    {
        var w = Tensor.Randn([40, 30], new Generator(1)).RequireGrad();
        Tensor Loss(Tensor x, Tensor y)
        {
            var product = x * w;
            var windows = Windows(product.Reshape(-1).Slice(0, 100, 60), 41, 20);
            return ((windows.MatMul(y) * Diagonal(product).Sum()).Tanh() + windows.Square()).Sum();
        }

        var step = CapturedStep.Create(Loss, [w]);
        for (var call = 0; call < 5; call++)
        {
            var x = Tensor.Randn([40, 30], new Generator(2, (ulong)call));
            var y = Tensor.Randn([20, 20], new Generator(3, (ulong)call));
            var loss = step.Run(x, y).Item();
            var gradient = w.Grad!.ToArray<float>();
            w.ZeroGrad();
            var eager = Loss(x, y);
            eager.Backward();
            Assert.Equal(eager.Item(), loss);
            Assert.Equal(w.Grad!.ToArray<float>(), gradient);
        }
        Assert.True(step.IsCaptured);
    }

    private static Tensor Diagonal(Tensor x) => Op.Apply(new DiagonalOp(), x);

    // Every axis steps by one element.
    private static Tensor Windows(Tensor x, params int[] sizes) => Op.Apply(new WindowsOp(sizes), x);

    private static void Refused(string part, Action act) =>
        Assert.Contains(part, Assert.Throws<AdjointException>(act).Message, StringComparison.Ordinal);

    private sealed class DiagonalOp : ViewOp
    {
        public override string Name => "Diagonal";
        public override string Formula => "yᵢ = xᵢᵢ";
        public override string Derivation => "∂L/∂xᵢⱼ = gᵢ where i = j, else 0";

        protected override ViewLayout Layout(Tensor x) =>
            new([Math.Min(x.Shape[0], x.Shape[1])], [x.Strides[0] + x.Strides[1]]);

        public override Tensor?[] Backward(OpNode node, Tensor gradient)
        {
            var (rows, columns) = (node.Inputs[0].Shape[0], node.Inputs[0].Shape[1]);
            var least = Math.Min(rows, columns);
            var square = Tensor.Where(Tensor.Eye(least, dtype: DType.Bool), gradient.Unsqueeze(1).Expand(least, least),
                Tensor.Zeros([least, least], gradient.DType));
            return [square.PadAxis(0, 0, rows - least).PadAxis(1, 0, columns - least)];
        }
    }

    private sealed class WindowsOp(int[] sizes) : ViewOp
    {
        public override string Name => "Windows";
        public override string Formula => "y[i, j, …] = x[i + j + …]";
        public override string Derivation => "∂L/∂x[k] = Σ over i + j + … = k of g[i, j, …]";
        protected override ViewLayout Layout(Tensor x) => new(sizes, Array.ConvertAll(sizes, _ => x.Strides[0]));

        public override Tensor?[] Backward(OpNode node, Tensor gradient)
        {
            // One axis after the other joins the next.
            var g = gradient.Reshape([.. gradient.Shape, 1]);
            while (g.Rank > 1)
            {
                var (size, rest) = (g.Shape[-2], g.Shape[-1]);
                g = Enumerable.Range(0, size).Select(i => g.Select(-2, i).PadAxis(-1, i, size - 1 - i))
                    .Aggregate((a, b) => a + b);
            }
            return [g];
        }
    }

    internal sealed class Look(ViewLayout layout) : ViewOp
    {
        public override string Name => "Look";
        public override string Formula => "y = elements of x";
        public override string Derivation => "not needed";
        protected override ViewLayout Layout(Tensor x) => layout;
        public override Tensor?[] Backward(OpNode node, Tensor gradient) => [null];
    }
}
