using Adjoint.Optim;
using Adjoint.Primitives;

namespace Adjoint.Tests.Backends;

/// <summary>Tensors of several devices in one process.</summary>
public class DeviceTests
{
    private static readonly Tensor A = Tensor.Randn([3, 4], new Generator(1));
    private static readonly Tensor B = Tensor.Randn([4, 5], new Generator(2));
    private static readonly Tensor C = Tensor.Randn([3, 5], new Generator(3));

    [Fact]
    public void What_an_op_makes_lies_where_its_inputs_do()
    {
        var (a, b) = (A.To(ReferenceDevice.First), B.To(ReferenceDevice.First));
        Assert.Same(Device.Cpu, A.Device);
        Assert.Same(ReferenceDevice.First, a.Device);
        var y = a.MatMul(b);
        Assert.Same(ReferenceDevice.First, y.Device);
        Assert.Same(ReferenceDevice.First, y.Transpose().Device);
        Close(A.MatMul(B), y.To(Device.Cpu));
        Close(A.MatMul(B).Transpose(), y.Transpose().To(Device.Cpu));
        Close(A.MatMul(B), y.To(ReferenceDevice.Second).To(Device.Cpu));
    }

    [Fact]
    public void A_graph_goes_forward_and_backward_on_another_device()
    {
        var (leaves, moved) = (Leaves(A, B, C), Leaves(A, B, C));
        Loss(leaves[0], leaves[1], leaves[2]).Backward();
        var taken = ReferenceDevice.First.Allocated;
        // The leaves are the CPU's: their gradients come back to it.
        var loss = Loss(moved[0].To(ReferenceDevice.First), moved[1].To(ReferenceDevice.First),
            moved[2].To(ReferenceDevice.First));
        Assert.Same(ReferenceDevice.First, loss.Device);
        loss.Backward();
        Assert.True(ReferenceDevice.First.Allocated > taken + 6);
        foreach (var (own, other) in leaves.Zip(moved))
        {
            Assert.Same(Device.Cpu, other.Grad!.Device);
            Close(own.Grad!, other.Grad!);
        }

        static Tensor Loss(Tensor a, Tensor b, Tensor c)
        {
            var y = a.MatMul(b) + c;
            return (y * y).Sum();
        }
    }

    [Fact]
    public void A_gradient_lies_where_its_leaf_does()
    {
        var x = A.To(ReferenceDevice.First).Detach().RequireGrad();
        (x * x).Sum().Backward();
        (x * x).Sum().Backward();
        Assert.Same(ReferenceDevice.First, x.Grad!.Device);
        Close(A * 4, x.Grad!.To(Device.Cpu));
    }

    [Fact]
    public void Devices_do_not_mix()
    {
        var (here, there) = (A, A.To(ReferenceDevice.First));
        var error = Assert.Throws<AdjointException>(() => here + there);
        Assert.Equal("Zip: all operands must lie on one device: found CPU and reference 1 ((3, 4) float32); move one "
            + "with .To(device)", error.Message);
        Assert.Contains("reference 1 and reference 2",
            Assert.Throws<AdjointException>(() => there * there.To(ReferenceDevice.Second)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_device_lacks_is_said_with_its_name()
    {
        var x = A.To(ReferenceDevice.Second);
        var error = Assert.Throws<AdjointException>(() => x.Softmax());
        Assert.Equal("Softmax: reference 2 does not have this primitive; move the operands with .To(Device.Cpu), or "
            + "register a body for it", error.Message);
    }

    [Fact]
    public void Comparisons_and_positions_lie_where_the_tensor_does()
    {
        var x = A.To(ReferenceDevice.First);
        foreach (var (primitive, act) in ((string, Action)[])[("CompareNumber", () => x.Greater(0)),
            ("Compare", () => x.Less(x)), ("ArgReduce", () => x.ArgMax()), ("Cast", () => x.To(DType.Int64)),
            ("IndexSelect", () => x.IndexSelect(0, 2, 1))])
            Assert.StartsWith($"{primitive}: reference 1 does not have this primitive",
                Assert.Throws<AdjointException>(act).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Elements_are_not_read_past_the_device()
    {
        var x = A.To(ReferenceDevice.First);
        foreach (var read in (Action[])[() => x.ToArray<float>(), () => x[0, 0].Item(), () => x.CopyFrom(new float[12]),
            () => _ = x.ToString()])
            Assert.Equal("Tensor: its memory lies on reference 1, and is read on the CPU; move it with "
                + ".To(Device.Cpu)", Assert.Throws<AdjointException>(read).Message);
    }

    [Fact]
    public void A_tensor_is_written_in_place_where_it_lies()
    {
        var x = A.To(ReferenceDevice.First);
        x.Slice(0, 1, 2).CopyFrom(x.Slice(0, 0, 2));
        var expected = Tensor.Concat([A[..1], A[..2]], 0);
        Close(expected, x.To(Device.Cpu));
        x[..1].Fill(0.5);
        Close(Tensor.Concat([Tensor.Full([1, 4], 0.5), expected[1..]], 0), x.To(Device.Cpu));
        var error = Assert.Throws<AdjointException>(() => x.CopyFrom(A));
        Assert.Contains("must lie on one device", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Operands_are_checked_before_any_device_sees_them()
    {
        var (x, y) = (A.To(ReferenceDevice.First), B.To(ReferenceDevice.First));
        Assert.Contains("must be", Assert.Throws<AdjointException>(() => Backend.Run(new Copy(), x, y)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Observers_see_what_runs_elsewhere()
    {
        var (a, b) = (A.To(ReferenceDevice.First), B.To(ReferenceDevice.First));
        var seen = new List<string>();
        Tensor y;
        using (Backend.Observe(call =>
        {
            seen.Add(call.Name);
            call.Run();
        })) y = a.MatMul(b);
        Assert.Equal(["MatMul"], seen);
        Close(A.MatMul(B), y.To(Device.Cpu));
    }

    [Fact]
    public void What_a_hook_makes_lies_on_the_CPU_and_host_numbers_reach_a_device()
    {
        List<Device> made = [];
        Tensor? See(Tensor gradient)
        {
            made.AddRange(Tensor.Ones(2).Device, Tensor.From([1f, 2f]).Device, new Generator(3).State.Device);
            return null;
        }
        var leaf = A.Clone().RequireGrad();
        leaf.RegisterHook(gradient => gradient + Tensor.Ones(3, 4));
        leaf.RegisterHook(See);
        var moved = leaf.To(ReferenceDevice.First);
        var y = moved * moved;
        y.RegisterHook(See);
        y.Sum().Backward();
        Assert.Equal(6, made.Count);
        Assert.All(made, device => Assert.Same(Device.Cpu, device));
        // d(x²)/dx = 2x, and what the hook adds.
        Close(A * 2 + 1, leaf.Grad!);
        Assert.Null(Execution.Current.Device);

        var before = Execution.Current.Enter(ReferenceDevice.First);
        var there = Tensor.From([1f, 2f, 3f]);
        Execution.Current.Device = before;
        Assert.Same(ReferenceDevice.First, there.Device);
        Assert.Equal([1f, 2f, 3f], there.To(Device.Cpu).ToArray<float>());
    }

    [Fact]
    public void What_learns_from_gradients_works_where_they_are()
    {
        var x = A.To(ReferenceDevice.First).Detach().RequireGrad();
        using (new AnomalyMode()) (x * x).Sum().Backward();
        Close(A * 2, x.Grad!.To(Device.Cpu));
        Assert.Same(x, x.Keep());
        foreach (var step in (Action[])[new Sgd([x], 0.1).Step, new Sgd([x], 0.1, momentum: 0.9).Step,
            new Adam([x], 0.1).Step, new RmsProp([x], 0.1).Step])
            Assert.Contains("reference 1 does not have this primitive",
                Assert.Throws<AdjointException>(step).Message, StringComparison.Ordinal);
        Assert.Contains("SquaredNorm: reference 1 does not have this primitive",
            Assert.Throws<AdjointException>(() => ClipGradients.ByNorm([x], 1)).Message, StringComparison.Ordinal);
        Assert.Equal(
            "Grad: a gradient must be on the device of its tensor: expected reference 1, found CPU; move it with "
            + ".To(device)", Assert.Throws<AdjointException>(() => x.Grad = A).Message);
        x.Grad = A.Transpose().Contiguous().To(ReferenceDevice.First).Transpose();
        Assert.True(x.Grad!.IsContiguous);
        Close(A, x.Grad.To(Device.Cpu));
    }

    [Fact]
    public void A_captured_step_refuses_another_device_by_name_and_runs_eagerly()
    {
        var w = A.To(ReferenceDevice.First).Detach().RequireGrad();
        var x = A.To(ReferenceDevice.First);
        var step = CapturedStep.Create((input, _) => (input * w).Sum(), [w], fallBackToEager: true);
        for (var i = 0; i < 3; i++)
        {
            Close((A * A).Sum(), step.Run(x, x).To(Device.Cpu));
            Close(A, w.Grad!.To(Device.Cpu));
        }
        Assert.Equal("input 0 is on reference 1, and replays are the CPU's", step.Refusal);

        // Only inside, beside the inputs.
        var inside = CapturedStep.Create((_, _) => (w * w).Sum(), [w], fallBackToEager: true);
        for (var i = 0; i < 3; i++) Close((A * A).Sum(), inside.Run(A, A).To(Device.Cpu));
        Assert.Equal("Zip is on reference 1, and replays are the CPU's", inside.Refusal);

        var own = A.Clone().RequireGrad();
        var here = CapturedStep.Create((input, _) => (input * own).Sum(), [own]);
        for (var i = 0; i < 3; i++) Close((A * A).Sum(), here.Run(A, A));
        Assert.Contains("input 0 is on reference 1",
            Assert.Throws<CaptureException>(() => here.Run(x, A)).Message, StringComparison.Ordinal);
        Close((A * A).Sum(), here.Run(A, A));
        Assert.Null(here.Refusal);
    }

    private static Tensor[] Leaves(params Tensor[] values) =>
        Array.ConvertAll(values, value => value.Clone().RequireGrad());

    private static void Close(Tensor expected, Tensor found)
    {
        Assert.Equal(expected.Shape, found.Shape);
        foreach (var (a, b) in expected.ToArray<float>().Zip(found.ToArray<float>())) Assert.Equal(a, b, 1e-4f);
    }
}
