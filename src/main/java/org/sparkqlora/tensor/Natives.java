package org.sparkqlora.tensor;

import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Platform;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.global.torch;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.storage.UserCache;

/** Loads libtorch and settles what must be settled before its first allocation. */
public final class Natives {
    /** {@code malloc.h}: blocks above this size are mapped and unmapped one by one. */
    private static final int M_MMAP_THRESHOLD = -3;

    /** {@code malloc.h}: free memory at the top of the heap above this size goes back to the kernel. */
    private static final int M_TRIM_THRESHOLD = -1;

    private static final int NEVER = Integer.MAX_VALUE;

    /** {@code malloc.h}: free memory that stays at the top of a thread's last heap but one when the last becomes empty. */
    private static final int M_TOP_PAD = -2;

    /** glibc's HEAP_MAX_SIZE. */
    private static final int WHOLE_HEAP = 64 << 20;

    /** glibc takes no larger one by this call; the model keeps its large temporaries below it. */
    private static final int LARGEST_THRESHOLD = 32 << 20;

    /**
     * Where memory is short: the holes that blocks of many sizes leave in a heap took 100 MB of a model of 3 billion parameters, and to fault
     * such a block in again takes 2 % of the time of the product that fills it.
     */
    private static final int SCARCE_THRESHOLD = 8 << 20;

    /** Of the top of a heap. */
    private static final NativeLong NOTHING = new NativeLong(0);

    private static final int UNLESS_SET = 0;

    /**
     * Matrix products of one shape that oneDNN keeps ready. Documents have many lengths: with its default of 1024 a model of 135M
     * parameters grew by 60 MB of code and several hundred of buffers in 14 steps.
     */
    private static final String PRIMITIVES = "256";

    private static final String LOCK = "spark-qlora.lock";

    /** The folder in which JavaCPP unpacks libraries, in a subfolder named as the jar. */
    private static final String CACHE = "org.bytedeco.javacpp.cachedir";

    /** What JavaCPP adds to the name of a platform where libraries compute on GPUs. */
    private static final String ON_GPUS = "-gpu";

    /** JavaCPP's setting of which such additions to look for: all that it knows, if it is not set. */
    private static final String EXTENSION = "org.bytedeco.javacpp.platform.extension";

    private static volatile boolean settled;

    private Natives() {}

    /**
     * Loads libtorch. Further calls do nothing.
     *
     * @throws BadInputException if the folder to unpack it into could hold files of others
     */
    public static void load() {
        if (!settled) {
            settleLogger();
            separateVersions();
            lookForProcessorsAlone();
            settled = true;
        }

        Once.LOADED.run();
    }

    /** Why libtorch cannot be used in this process; nothing when it can. */
    public static Optional<String> problem() {
        try {
            load();
            return Optional.empty();
        } catch (BadInputException e) {
            return Optional.of("Cannot load libtorch: " + e.getMessage());
        } catch (LinkageError e) {
            Throwable reason = e.getCause() == null ? e : e.getCause();
            return Optional.of("Cannot load libtorch: " + reason.getMessage());
        }
    }

    /** The most memory that JavaCPP lets this process have before it refuses to allocate; 0 is no limit. */
    public static long physicalLimit() {
        load();
        return Pointer.maxPhysicalBytes();
    }

    /** Sets the number of threads that libtorch's operations use when called from this thread. */
    public static void useThreads(int threads) {
        load();
        if (torch.get_num_threads() != threads) {
            torch.set_num_threads(threads);
        }
    }

    /**
     * Keeps freed memory in the process. glibc as it is returns each large block to the kernel, so that every training
     * step faults its pages in again. It returns a thread's heap of 64 MiB, too, when that becomes empty, unless as much may stay
     * free before it: a buffer for which the other heaps have no room was mapped and faulted in at each layer. It also gives each thread
     * heaps of its own, which cannot be helped from here: glibc settles their number when the JVM starts its threads.
     */
    private static void keepFreedMemory() {
        if (isGlibc()) {
            LibC libc = libc();
            libc.mallopt(M_MMAP_THRESHOLD, LARGEST_THRESHOLD);
            libc.mallopt(M_TRIM_THRESHOLD, NEVER);
            libc.mallopt(M_TOP_PAD, WHOLE_HEAP);
        }
    }

    /** From now on gives each large block back to the system when it is freed, as it is best where memory is short. */
    public static void returnLargeBlocks() {
        load();
        if (isGlibc()) {
            libc().mallopt(M_MMAP_THRESHOLD, SCARCE_THRESHOLD);
        }
    }

    /**
     * Gives back to the system what was allocated outside of Java's heap and is free by now, in all heaps of glibc: what tokenizers and
     * the compiler of Java's bytecode leave behind, before training begins and its memory is kept. Without libtorch too.
     */
    public static void returnFreedMemory() {
        if (isGlibc()) {
            libc().malloc_trim(NOTHING);
        }
    }

    private static boolean isGlibc() {
        return Platform.isLinux() && !Platform.isAndroid();
    }

    private static LibC libc() {
        return Native.load("c", LibC.class);
    }

    /**
     * Settles what the libraries under libtorch read from their environment when they are loaded; what the user has set stays.
     * Waiting threads do not burn the cores that other tasks compute on: OpenMP's sleep, and OpenBLAS, whose pool of threads is one
     * for the process and spins, gets none.
     */
    private static void setLibraries() {
        if (Platform.isLinux() && !Platform.isAndroid()) {
            LibC libc = Native.load("c", LibC.class);
            libc.setenv("OMP_WAIT_POLICY", "PASSIVE", UNLESS_SET);
            libc.setenv("OPENBLAS_NUM_THREADS", "1", UNLESS_SET);
            libc.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", PRIMITIVES, UNLESS_SET);
        }
    }

    /**
     * Loads libtorch while no other process of this host does: the first one unpacks the libraries into JavaCPP's cache, and a
     * process that unpacks them again pulls the mapped files from under the others.
     */
    private static void loadAloneOnThisHost() {
        try {
            Path cache = cache();
            try (FileChannel channel =
                            FileChannel.open(cache.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock held = channel.lock()) {
                new UnpackedLibraries(cache).removeCutOff();
                Loader.load(torch.class);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Failed to unpack libtorch. Set org.bytedeco.javacpp.cachedir to a folder that can be written.", e);
        }
    }

    /** As JavaCPP sees it, which turns to a folder that all users share where it cannot write the one that is set. */
    private static Path cache() throws IOException {
        Path set = Files.createDirectories(Path.of(System.getProperty(CACHE)));
        Path found = Loader.getCacheDir().toPath();
        if (!found.equals(set.toRealPath())) {
            throw new IOException("expected to write %s, found %s in its place".formatted(set, found));
        }

        return found;
    }

    /** Before the first call of JavaCPP, which writes to System.err that OpenBLAS' binding, the newest there is, is of the release before. */
    private static void settleLogger() {
        System.getProperties().putIfAbsent("org.bytedeco.javacpp.logger", "slf4j");
    }

    /**
     * Gives each version of libtorch a cache of its own. JavaCPP loads a library before it has unpacked those that this one needs: a jar
     * of the same name as an older one would meet the older's there, and the process would abort.
     */
    private static void separateVersions() {
        String asked = System.getProperty(CACHE);
        String own = folderOfVersion();
        if (asked == null) {
            System.setProperty(CACHE, UserCache.ofProcess().folder(own).toString());
        } else if (!Path.of(asked).endsWith(own)) {
            System.setProperty(CACHE, Path.of(asked, own).toString());
        }
    }

    /**
     * Has JavaCPP look for no library of GPUs where there is none: it searched all jars of Spark 18,000 times, a second of each process. What the
     * user has set stays.
     */
    private static void lookForProcessorsAlone() {
        if (!computesOnGpus()) {
            System.getProperties().putIfAbsent(EXTENSION, "");
        }
    }

    /** Whether this is a build for GPUs. */
    static boolean computesOnGpus() {
        String library = "/org/bytedeco/pytorch/%s%s/%s"
                .formatted(Loader.getPlatform(), ON_GPUS, System.mapLibraryName("jnitorch"));
        return torch.class.getResource(library) != null;
    }

    private static String folderOfVersion() {
        try {
            return "libtorch-" + Loader.getVersion("org.bytedeco", "pytorch");
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read the version of libtorch", e);
        }
    }

    /**
     * Spark interrupts a task whose copy was faster. Interrupted while it loads, a class is lost to its process for good, so a
     * thread of its own does it.
     */
    private static void loadUninterrupted() {
        CompletableFuture.runAsync(
                        () -> {
                            keepFreedMemory();
                            setLibraries();
                            loadAloneOnThisHost();
                        },
                        loading -> new Thread(loading, "libtorch-loader").start())
                .join();
    }

    /** The part of the C library that tunes what is loaded later. Public because JNA makes a proxy of it. */
    public interface LibC extends com.sun.jna.Library {
        int mallopt(int parameter, int value);

        int setenv(String name, String value, int overwrite);

        int malloc_trim(NativeLong padding);
    }

    /** Class initialisation runs once and is seen by all threads. */
    private enum Once {
        LOADED;

        Once() {
            loadUninterrupted();
        }

        void run() {}
    }
}
