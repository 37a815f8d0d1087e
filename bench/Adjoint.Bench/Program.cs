using Adjoint.Bench;
using BenchmarkDotNet.Running;

// versus: against libtorch, both sides alternating. Anything else goes to BenchmarkDotNet.
if (args is ["versus", ..]) return Versus.Run(args[1..]);
BenchmarkSwitcher.FromAssembly(typeof(Versus).Assembly).Run(args);
return 0;
