package org.sparkqlora.spark.cluster;

import com.sun.management.OperatingSystemMXBean;
import java.io.Serializable;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.sparkqlora.quant.VectorApi;
import org.sparkqlora.storage.DiskRoom;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tensor.ProcessorFlags;

/**
 * The resources of a driver's or an executor's process.
 *
 * @param name how a message calls it
 * @param java feature release
 * @param heapBytes the most that Java's heap may take
 * @param machineBytes memory of the machine, or what its container allows
 * @param scratch Spark's local folder
 * @param scratchBytes free below it
 * @param vectors whether the vector module is there, which the fast 4-bit kernels need
 * @param promptRelease whether JavaCPP leaves native memory to its owners
 * @param nativeLimit the most native memory that JavaCPP lets the process have; 0 is no limit
 * @param closed packages of the JDK that Spark reads by reflection and may not
 * @param processor what of the processor decides which kernels libtorch takes
 * @param missing what it cannot reach
 */
public record ProcessFacts(
        String name,
        int java,
        long heapBytes,
        long machineBytes,
        String scratch,
        long scratchBytes,
        boolean vectors,
        boolean promptRelease,
        long nativeLimit,
        List<String> closed,
        String processor,
        List<String> missing)
        implements Serializable {
    private static final List<String> KERNELS = List.of("avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "sve");

    private static final List<String> OPENED = List.of(
            "java.lang",
            "java.lang.invoke",
            "java.lang.reflect",
            "java.io",
            "java.net",
            "java.nio",
            "java.util",
            "java.util.concurrent",
            "java.util.concurrent.atomic",
            "sun.nio.ch",
            "sun.nio.cs",
            "sun.security.action",
            "sun.util.calendar");

    public ProcessFacts {
        closed = List.copyOf(closed);
        missing = List.copyOf(missing);
    }

    /** Of the process that this runs in, which lacks {@code missing}. */
    public static ProcessFacts ofThisProcess(String name, List<String> missing) {
        Path scratch = ScratchFolder.ofProcess();
        Optional<String> libtorch = Natives.problem();
        return new ProcessFacts(
                name,
                Runtime.version().feature(),
                Runtime.getRuntime().maxMemory(),
                machineBytesHere(),
                scratch.toString(),
                DiskRoom.bytesFree(scratch),
                VectorApi.isPresent(),
                Boolean.getBoolean("org.bytedeco.javacpp.nopointergc"),
                libtorch.isEmpty() ? Natives.physicalLimit() : 0,
                closedPackages(),
                kernelFlags(),
                Stream.concat(missing.stream(), libtorch.stream()).toList());
    }

    /** Memory of the machine that this runs on, or what its container allows. */
    public static long machineBytesHere() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    }

    private static List<String> closedPackages() {
        Module ours = ProcessFacts.class.getModule();
        Module base = Object.class.getModule();
        return OPENED.stream().filter(name -> !base.isOpen(name, ours)).toList();
    }

    /** The first processor's flags that matter, or its architecture where the system tells no more. */
    private static String kernelFlags() {
        Set<String> flags = ProcessorFlags.ofThisMachine().names();
        return flags.isEmpty()
                ? System.getProperty("os.arch")
                : String.join(" ", KERNELS.stream().filter(flags::contains).toList());
    }
}
