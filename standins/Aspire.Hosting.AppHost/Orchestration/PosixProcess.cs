using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Aspire.Hosting.Orchestration;

/// <summary>Signals and start times of processes, on Linux and macOS.</summary>
static class PosixProcess
{
    public const int Terminate = 15;
    public const int Kill = 9;

    const int NotPermitted = 1;
    const int NoSuchProcess = 3;

    public static bool IsAlive(int pid) => NativeMethods.Kill(pid, 0) == 0 || Marshal.GetLastPInvokeError() != NoSuchProcess;

    /// <summary>A process that is gone already is no error.</summary>
    public static void Signal(int pid, int signal)
    {
        if (NativeMethods.Kill(pid, signal) == 0) return;
        var error = Marshal.GetLastPInvokeError();
        if (error != NoSuchProcess) throw new Win32Exception(error);
    }

    /// <summary>
    /// All of the group that the process leads: each of ours has a session of its own. A group that is gone, or whose number by now is
    /// another user's, is none of ours.
    /// </summary>
    public static void KillGroup(int leader)
    {
        if (NativeMethods.Kill(-leader, Kill) == 0) return;
        var error = Marshal.GetLastPInvokeError();
        if (error is not (NoSuchProcess or NotPermitted)) throw new Win32Exception(error);
    }

    /// <summary>
    /// When the process started, in the kernel's own notation: a pid together with this names one process for ever. Null: no such process.
    /// </summary>
    public static string? StartTime(int pid)
    {
        if (!OperatingSystem.IsLinux()) return Ps(pid);
        try
        {
            // proc(5): the second field, in brackets, may hold anything; the start time in clock ticks is field 22, the state field 3.
            var fields = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            var rest = fields[(fields.LastIndexOf(')') + 2)..].Split(' ');
            return rest[0] == "Z" ? null : rest[19];
        }
        catch (IOException)
        {
            return null;
        }
    }

    static string? Ps(int pid)
    {
        var start = new ProcessStartInfo("ps") { RedirectStandardOutput = true };
        start.ArgumentList.Add("-o");
        start.ArgumentList.Add("lstart=");
        start.ArgumentList.Add("-p");
        start.ArgumentList.Add(pid.ToString(CultureInfo.InvariantCulture));
        using var ps = Process.Start(start)!;
        var text = ps.StandardOutput.ReadToEnd().Trim();
        ps.WaitForExit();
        return text.Length == 0 ? null : text;
    }

    static class NativeMethods
    {
        [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
#pragma warning disable SYSLIB1054 // A generated marshaller needs unsafe code, which this project does without.
        public static extern int Kill(int pid, int signal);
#pragma warning restore SYSLIB1054
    }
}
