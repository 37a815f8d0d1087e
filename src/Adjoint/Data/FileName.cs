namespace Adjoint.Data;

/// <summary>
/// Names of files and folders that are valid on Windows, macOS and Linux, so that a folder of results can be copied
/// between them.
/// </summary>
public static class FileName
{
    // Of file systems in use: NTFS counts UTF-16 units, ext4 and APFS bytes of UTF-8.
    private const int MaxBytes = 255;

    // Windows' devices; an extension does not free them ("nul.txt" is still the device).
    private static readonly string[] Devices =
    [
        "con", "prn", "aux", "nul", "conin$", "conout$",
        .. "0123456789\u00b9\u00b2\u00b3".SelectMany(digit => (string[])[$"com{digit}", $"lpt{digit}"]),
    ];

    /// <summary>Why a name is not valid on every system.</summary>
    /// <param name="name">The name of a file or folder, without its path.</param>
    /// <returns>The reason; null where the name is valid.</returns>
    public static string? Problem(string name)
    {
        if (name.Length == 0) return "the name is empty";
        if (name.Any(char.IsControl)) return "it has a control character";
        var reserved = name.IndexOfAny([.. "<>:\"/\\|?*"]);
        if (reserved >= 0) return $"it has '{name[reserved]}'";
        if (name[^1] is '.' or ' ') return "it ends with a period or a space";
        if (Devices.Contains(name.Split('.')[0].TrimEnd(' '), StringComparer.OrdinalIgnoreCase))
            return "it is the name of a device on Windows";
        var bytes = System.Text.Encoding.UTF8.GetByteCount(name);
        return bytes > MaxBytes ? $"it is {bytes} bytes long; names have at most {MaxBytes}" : null;
    }
}
