#:project ../src/Adjoint/Adjoint.csproj
// A first gradient: compute, look at the graph, go backward.
using Adjoint;

var a = Tensor.From(new float[,] { { 1, 2 }, { 3, 4 } }).RequireGrad();
var b = Tensor.From(new float[,] { { 2, 4 }, { 5, 8 } }).RequireGrad();
var c = a / b;

Console.WriteLine($"c =\n{c}");
Console.WriteLine($"made by {c.Source!.Op.Name}: {c.Source.Op.Formula}");
Console.WriteLine($"from\n{c.Source.Inputs[0]}\nand\n{c.Source.Inputs[1]}");
Console.WriteLine($"backward: {c.Source.Op.Derivation}");

c.Sum().Backward();
Console.WriteLine($"∂(sum of c)/∂b = −a / b² =\n{b.Grad}");
