package org.sparkqlora.options;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.cluster.CancelledJob;
import org.sparkqlora.spark.cluster.CurrentSession;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.cluster.ScratchFolder;
import org.sparkqlora.spark.cluster.SettingsOfSpark;
import org.sparkqlora.spark.cluster.SparkLine;
import org.sparkqlora.spark.cluster.StoreTimeouts;
import org.sparkqlora.spark.kryo.TrainRegistrator;
import org.sparkqlora.storage.DiskRoom;
import org.sparkqlora.storage.LocalFiles;

/** The Spark session of this process. */
public final class Sessions {
    private static final String MASTER = "spark.master";
    private static final String EVENT_LOG = "spark.eventLog.dir";

    private Sessions() {}

    /** Whether this process is the application master of YARN, which is told so by its submitter. */
    public static boolean isInsideYarn() {
        return System.getProperty(MASTER, "").equals("yarn")
                && System.getProperty("spark.submit.deployMode", "").equals("cluster");
    }

    /**
     * The session that is there, or a new one: on this machine's cores, unless spark-submit named a master.
     *
     * @throws BadInputException if this is not the Spark that the jar is built for, or its settings are wrong
     */
    public static JavaSparkContext context(String command) {
        SparkLine.check();
        SparkConf conf = new SparkConf();
        conf.setIfMissing(MASTER, "local[*]");
        conf.setIfMissing("spark.ui.showConsoleProgress", "false");
        conf.setIfMissing("spark.serializer", "org.apache.spark.serializer.KryoSerializer");
        conf.setIfMissing("spark.kryo.registrator", TrainRegistrator.class.getName());
        conf.setIfMissing("spark.kryoserializer.buffer.max", "2047m");
        boolean isNew = CurrentSession.find().isEmpty();
        if (isNew) {
            SettingsOfSpark.check(conf);
            requireEventLog(conf);
            ScratchFolder.requireLocalFolder(conf);
        }

        SparkSession session =
                session(SparkSession.builder().appName("spark-qlora " + command).config(conf));
        JavaSparkContext context = JavaSparkContext.fromSparkContext(session.sparkContext());
        if (isNew) {
            StoreTimeouts.apply(context.hadoopConfiguration());
        }

        CancelledJob.interruptTasks(context); // for as long as the command runs
        return context;
    }

    /** Spark refuses settings in ways that leave open whether to try again. */
    private static SparkSession session(SparkSession.Builder builder) {
        try {
            return builder.getOrCreate();
        } catch (Exception e) { // some are checked exceptions that no signature declares
            List<Throwable> chain = Stream.iterate((Throwable) e, Objects::nonNull, Throwable::getCause)
                    .toList();
            Throwable root = chain.get(chain.size() - 1);
            boolean isOutside = root instanceof IOException || root instanceof UnresolvedAddressException;
            String reason = String.valueOf(root.getMessage());
            if (!isOutside && root instanceof IllegalArgumentException
                    || reason.startsWith("Could not parse Master URL")) {
                throw new BadInputException("Cannot start Spark: " + reason, e);
            }

            throw e;
        }
    }

    /** Spark starts only where the folder is there, and would say so by an exception of a file that is not found. */
    private static void requireEventLog(SparkConf conf) {
        if (!conf.getBoolean("spark.eventLog.enabled", false)) {
            return;
        }

        Location folder = Location.parse(conf.get(EVENT_LOG, "/tmp/spark-events"));
        try {
            if (!folder.files().exists(folder.path())) {
                throw new BadInputException(
                        "Cannot start Spark: expected the folder %s of %s, found none. Make it, or set spark.eventLog.enabled to false"
                                .formatted(folder, EVENT_LOG));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to look for the folder %s of %s".formatted(folder, EVENT_LOG), e);
        }

        if (folder.isLocal() && Files.isDirectory(folder.local())) {
            requireWritableLog(folder.local());
        }
    }

    /** Spark would say that {@code chmod} finds no file. */
    private static void requireWritableLog(Path folder) {
        try {
            LocalFiles.probe(folder);
        } catch (IOException e) {
            if (DiskRoom.isShort(e)) {
                throw new UncheckedIOException("Failed to write to %s of %s".formatted(folder, EVENT_LOG), e);
            }

            throw new BadInputException(
                    "Cannot start Spark: expected the folder %s of %s to be one that this user may write, found none. Choose another, or set spark.eventLog.enabled to false"
                            .formatted(folder, EVENT_LOG),
                    e);
        }
    }

    /** Ends the session, if there is one. Not for Databricks, where it belongs to the cluster. */
    public static void stop() {
        SparkSession.getActiveSession().foreach(session -> {
            session.stop();
            return null;
        });
    }
}
