using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Adjoint.Bench;
using TorchSharp;
using static TorchSharp.torch;

return Server.Run(() => new TorchSide());

/// <summary>libtorch, the workloads named as in Adjoint.Bench.</summary>
internal sealed class TorchSide : ISide
{
    internal TorchSide()
    {
        // TorchSharp tells where it looked, not what was missing: the loader does.
        var library = Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");
        try
        {
            NativeLibrary.Load(library);
        }
        catch (DllNotFoundException error) when (error.Message.Contains("GLIBCXX_"))
        {
            var version = Regex.Match(error.Message, "GLIBCXX_[0-9.]+[0-9]").Value;
            throw new DllNotFoundException(
                $"this system's libstdc++ lacks {version}: build it with bench/Adjoint.Bench.Torch/on-debian12");
        }
        Version = $"libtorch {torch.__version__}";
    }

    public string Version { get; }

    public void Use(int threads) => set_num_threads(threads);

    public Action? Create(string workload) => Works.Create(workload.Split('+')[0]);
}
