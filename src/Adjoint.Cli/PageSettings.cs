using Adjoint.Experiments;
using Adjoint.Explorer;

namespace Adjoint.Cli;

/// <summary>How commands serve a page.</summary>
internal static class PageSettings
{
    internal static readonly NumberSetting<int> Port = new("port")
    {
        Help = "Port of the page; 0: any free one.",
        Check = BlockedPorts.Refusal,
        Default = 0,
    };

    internal static readonly FlagSetting Open = new("open") { Help = "Open the page in the browser." };
}
