package org.sparkqlora.spark.job;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.spark.SparkEnv;

/**
 * A place in a run where a test injects a fault. The first process that comes to an armed place is caught there: it waits to be killed,
 * interrupted or let go, or its task fails. All processes know each other through files of one folder.
 */
record FaultPoint(String folder) implements Serializable {
    private static final String FOLDER = "spark.test.faults";
    private static final String CAUGHT = "caught-";
    private static final String EXECUTOR = "executor-";
    private static final String OPEN = "open";
    private static final long WAIT_MILLIS = 5;
    private static final long MOST_MILLIS = 30_000;

    /** Parts of a step, in the order in which an executor comes to them. */
    enum Place {
        /** Before the base model is loaded. */
        LOAD,
        /** Before an update is applied to the replica. */
        UPDATE,
        /** Before a micro-batch is computed. */
        COMPUTE,
        /** Before a gradient, or the first slice of one, is put on the wire. */
        SEND,
        /** Before a slice that another task computed is read. */
        ADD,
        /** Before an owner tells of its part of a State. */
        OWN
    }

    /** The fault of the process that is caught. */
    enum Effect {
        WAIT,
        THROW
    }

    static FaultPoint in(Path folder) throws IOException {
        return new FaultPoint(Files.createDirectories(folder).toString());
    }

    /** The points of this process, as Spark was told of them. */
    static FaultPoint ofProcess() {
        return new FaultPoint(SparkEnv.get().conf().get(FOLDER));
    }

    /** The setting that tells Spark of them. */
    Map<String, String> settings() {
        return Map.of(FOLDER, folder, "spark.kryo.registrator", FaultRegistrator.class.getName());
    }

    /** Lays a trap for one process. */
    void arm(Place place, Effect effect) {
        write(place.name(), effect.name());
    }

    /** Lets go who waits, now and from now on. */
    void open() {
        write(OPEN, "");
    }

    /** Takes away what an earlier test left. */
    void clear() {
        names("").forEach(name -> delete(name));
    }

    /** The process that was caught, once there is one. */
    Optional<Long> caught() {
        return names(CAUGHT).stream().map(Long::valueOf).findFirst();
    }

    /** Executors that have opened the model and live. */
    List<Long> executors() {
        return names(EXECUTOR).stream()
                .map(Long::valueOf)
                .filter(pid -> ProcessHandle.of(pid).isPresent())
                .toList();
    }

    /** Runs in a task, of which this process is the executor. */
    void register() {
        write(EXECUTOR + ProcessHandle.current().pid(), "");
    }

    /** Runs in a task: falls into the trap at {@code place}, if there is one. */
    void reach(Place place) {
        try {
            Path caught = path(CAUGHT + ProcessHandle.current().pid());
            Files.move(path(place.name()), caught, StandardCopyOption.ATOMIC_MOVE);
            suffer(Effect.valueOf(Files.readString(caught)), place);
        } catch (NoSuchFileException e) {
            return; // not armed
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to reach " + place, e);
        }
    }

    private void suffer(Effect effect, Place place) {
        if (effect == Effect.THROW) {
            throw new IllegalStateException("Cannot go on: caught at " + place);
        }

        try {
            for (long waited = 0; !Files.exists(path(OPEN)); waited += WAIT_MILLIS) {
                requirePatience(waited);
                Thread.sleep(WAIT_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // what comes next has to cope with it
        }
    }

    private static void requirePatience(long waited) {
        if (waited > MOST_MILLIS) {
            throw new IllegalStateException("Waited in vain: nothing happened to this process");
        }
    }

    private List<String> names(String prefix) {
        try (Stream<Path> files = Files.list(Path.of(folder))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith(prefix))
                    .map(name -> name.substring(prefix.length()))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to list " + folder, e);
        }
    }

    private void write(String name, String content) {
        try {
            Path half = Files.writeString(Files.createTempFile(Path.of(folder), "half", ""), content);
            Files.move(half, path(name), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + name, e);
        }
    }

    private void delete(String name) {
        try {
            Files.deleteIfExists(path(name));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to delete " + name, e);
        }
    }

    private Path path(String name) {
        return Path.of(folder, name);
    }
}
