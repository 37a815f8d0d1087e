#:project ../src/Adjoint.Explorer/Adjoint.Explorer.csproj
// One training step as a self-contained HTML page, which opens without a server or a network.
using Adjoint;
using Adjoint.Explorer;
using Adjoint.Nn;

var model = new Mlp(2, [3], 2, "tanh", new Generator(1));
var x = Tensor.From(new[] { 0.5f, -1, 2, 0.1f }, 2, 2);
x.Name = "x";

Tensor loss;
using (new Tracing()) // also records modules, source lines and times
    loss = Loss.CrossEntropy(model.Forward(x), Tensor.From(new long[] { 1, 0 }, 2));

var path = Path.Combine(Path.GetTempPath(), "graph.html");
loss.ToHtml(path);
Console.WriteLine($"open {path}");
// GraphExplorer.Show(loss) serves the page instead, and waits for Enter.
