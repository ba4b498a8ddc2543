package org.sparkqlora.cli;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.QuietLogging;
import org.sparkqlora.storage.Unfinished;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * SIGTERM or SIGINT, which ends a command in good order: jobs of Spark are cancelled, so that training keeps the step that it has
 * taken. A second one ends the process at once.
 */
final class EndSignal {
    private static final String[] NAMES = {"TERM", "INT"};
    private static final long CANCEL_MILLIS = 200;

    private final AtomicReference<@Nullable String> came = new AtomicReference<>();
    private final AtomicBoolean told = new AtomicBoolean();

    /** Waits for none. */
    EndSignal() {}

    /** Waits for one, until the process ends; tells {@code console} of one that comes before Spark has begun. */
    static EndSignal ofProcess(Console console) {
        EndSignal signal = new EndSignal();
        for (String name : NAMES) {
            Signal.handle(new Signal(name), number -> signal.take(number, console));
        }

        return signal;
    }

    /** The signal in words; null as long as none came. */
    @Nullable
    String reason() {
        String name = came.get();
        return name == null
                ? null
                : "ended by SIG" + name + "; the same command, run again, goes on from what it has kept";
    }

    /** Says so in one line, once: who is stopped may hear of it before the process has ended. */
    void tell(Console console, String name) {
        if (!told.getAndSet(true)) {
            console.note("%s: %s.", name, reason());
        }
    }

    private void take(Signal signal, Console console) {
        for (String name : NAMES) {
            Signal.handle(new Signal(name), SignalHandler.SIG_DFL);
        }

        came.set(signal.getName());
        QuietLogging.silence();
        if (SparkSession.getDefaultSession().isEmpty()) {
            Unfinished.removeAll();
            tell(console, "spark-qlora");
            System.exit(ExitCode.RESUMABLE.code());
        }

        Thread cancelling = new Thread(EndSignal::cancelJobs, "end-signal");
        cancelling.setDaemon(true);
        cancelling.start();
    }

    /** Again and again: a command may begin another before it has heard of the first. */
    private static void cancelJobs() {
        try {
            while (true) {
                SparkSession.getDefaultSession().foreach(session -> {
                    session.sparkContext().cancelAllJobs();
                    return null;
                });
                Thread.sleep(CANCEL_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
