using System.Reflection;
using Adjoint.Kernels;

namespace Adjoint.Bench;

/// <summary>This library.</summary>
internal sealed class AdjointSide : ISide
{
    // The SDK writes the commit that was built behind the version: 0.1.0+1611c86….
    public string Version { get; } = $"Adjoint {Short(typeof(Tensor).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion)}";

    public void Use(int threads) => Workers.ThreadCount = threads;

    public Action? Create(string workload) => Workloads.All.FirstOrDefault(work => work.Name == workload)?.Create();

    private static string Short(string version) =>
        version.Split('+') is [var number, { Length: > 7 } commit] ? $"{number} ({commit[..7]})" : version;
}
