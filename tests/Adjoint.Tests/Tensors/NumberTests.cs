using Adjoint.Tests.Backends;

namespace Adjoint.Tests.Tensors;

/// <summary>Plain numbers beside tensors.</summary>
public class NumberTests
{
    [Fact]
    public void Ints_and_longs_are_whole_and_doubles_are_not()
    {
        Number two = 2, real = 2.0, large = long.MaxValue, nan = double.NaN;
        Assert.Equal((true, false, true), (two.IsInteger, real.IsInteger, large.IsInteger));
        Assert.Equal((2.0, 2.0, 9223372036854775808.0), (two.Value, real.Value, large.Value));
        Assert.True(two == 2L && two != real && real == 2f && nan == double.NaN && !two.Equals("2"));
        Assert.Equal(two.GetHashCode(), ((Number)2L).GetHashCode());
        Assert.Equal(
            ["2", "2", "9223372036854775807", "NaN"], new[] { two, real, large, nan }.Select(one => one.ToString()));
        Assert.Equal(default, (Number)0.0);
    }

    [Fact]
    public void It_becomes_a_tensor_of_the_type_in_which_it_meets_another()
    {
        static DType Of(Number number, DType type) => number.AsTensor(Tensor.Zeros([2], type), "op").DType;
        foreach (var type in Enum.GetValues<DType>())
        {
            Assert.Equal(type == DType.Bool ? DType.Int64 : type, Of(1, type));
            Assert.Equal(type.IsFloating() ? type : DType.Float32, Of(1.5, type));
        }
        var error = Assert.Throws<AdjointException>(() => Of(1L << 31, DType.Int32));
        Assert.Equal(
            "op: int32 has no 2147483648, only -2147483648 to 2147483647; cast the tensor with .To(DType.Int64)",
            error.Message);
    }

    [Fact]
    public void It_lies_where_the_other_lies()
    {
        var x = Tensor.Ones(2).To(ReferenceDevice.First);
        Assert.Same(ReferenceDevice.First, ((Number)2.5).AsTensor(x, "op").Device);
        Assert.Same(Device.Cpu, ((Number)2.5).AsTensor(Tensor.Ones(2), "op").Device);
    }
}
