using Adjoint.Nn;

namespace Adjoint.Tests.Nn;

public class InstanceNormTests
{
    [Fact]
    public void It_has_PyTorchs_names_where_scale_and_shift_are_learned_and_no_state_otherwise()
    {
        Assert.Empty(new InstanceNorm(3).StateDict());
        Assert.Equal(["bias", "weight"], new InstanceNorm(3, affine: true).StateDict().Keys.Order());
    }

    // torch.nn.InstanceNorm1d(2, affine=True) with weight [2, -1], bias [0, 1].
    [Fact]
    public void Values_and_gradients_are_PyTorchs()
    {
        var layer = new InstanceNorm(2, affine: true);
        layer.NamedParameters().Single(one => one.Name == "weight").Value.CopyFrom<float>([2, -1]);
        layer.NamedParameters().Single(one => one.Name == "bias").Value.CopyFrom<float>([0, 1]);
        var x = Tensor.From(new float[] { 1, 2, 4, -1, 0, 3 }, 1, 2, 3).RequireGrad();
        var y = layer.Forward(x);
        Close([-2.13808306f, -0.53452077f, 2.67260383f, 1.98057898f, 1.39223159f, -0.37281057f], y);
        (y * Tensor.From(new float[] { 1, -1, 2, 3, 0, -2 }, 1, 2, 3)).Sum().Backward();
        Close([1.60355542f, -2.40534516f, 0.80178974f, -0.47520744f, 0.63360336f, -0.15839592f], x.Grad!);
    }

    [Fact]
    public void An_input_that_does_not_fit_and_settings_out_of_range_are_refused()
    {
        void Refused(string message, Action act) =>
            Assert.Equal(message, Assert.Throws<AdjointException>(act).Message);
        Refused("InstanceNorm: channels and ε must be positive: found 0 and 1E-05", () => new InstanceNorm(0));
        Refused("InstanceNorm: channels and ε must be positive: found 2 and 0", () => new InstanceNorm(2, epsilon: 0));
        Refused("InstanceNorm: an input (n, 2, positions…) is needed: found (1, 3, 4); the second axis must be the " +
            "number of channels", () => new InstanceNorm(2).Forward(Tensor.Zeros(1, 3, 4)));
    }

    private static void Close(float[] expected, Tensor found)
    {
        foreach (var (wanted, value) in expected.Zip(found.ToArray<float>())) Assert.Equal(wanted, value, 2e-6f);
    }
}
