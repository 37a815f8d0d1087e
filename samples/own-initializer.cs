#:project ../src/Adjoint/Adjoint.csproj
// A custom initializer: orthogonal weights (Saxe et al. 2014), which preserve norms through many layers. Any layer
// accepts it.
using Adjoint;
using Adjoint.Nn;

var generator = new Generator(1);
var deep = new Sequential([.. Enumerable.Range(0, 50).Select(_ => (Layer)new Linear(
    64, 64, initializer: new Orthogonal(), generator: generator))]);
var x = Tensor.Randn([1, 64], generator);
var ratio = (deep.Forward(x).Square().Sum() / x.Square().Sum()).Sqrt().Item();
Console.WriteLine($"norm after 50 layers: {ratio:0.0000} times that of the input");

var filters = new Conv2d(3, 8, 3, new() { Initializer = new Orthogonal(), Generator = generator })
    .Weight.Reshape(8, 27);
var error = (filters.MatMul(filters.Transpose()) - Tensor.Eye(8)).Abs().Max().Item();
Console.WriteLine(error < 1e-6 ? "the filters are orthonormal" : $"the filters differ by {error}");

sealed class Orthogonal(double gain = 1) : Initializer
{
    // Gram-Schmidt, in two passes because the first leaves rounding errors: the projections onto the previous rows are
    // subtracted from each new one. A matrix with more rows than columns gets orthonormal columns.
    protected override Tensor Values(int outputs, int inputs, Generator generator)
    {
        var rows = new List<Tensor>();
        while (rows.Count < Math.Min(outputs, inputs))
        {
            var v = Tensor.Randn([Math.Max(outputs, inputs)], generator, DType.Float64);
            for (var pass = 0; pass < 2; pass++)
                foreach (var row in rows)
                    v -= row * (row * v).Sum();
            rows.Add(v / v.Square().Sum().Sqrt());
        }
        var matrix = (Tensor.Stack(rows) * gain).To(DType.Float32);
        return outputs > inputs ? matrix.Transpose() : matrix;
    }
}
