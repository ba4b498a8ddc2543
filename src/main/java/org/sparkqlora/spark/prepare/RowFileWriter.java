package org.sparkqlora.spark.prepare;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.storage.Removal;
import org.sparkqlora.storage.Sha256;
import org.sparkqlora.storage.StorePath;
import org.sparkqlora.storage.WholeFile;
import org.sparkqlora.tokenizer.packing.RowLayout;
import org.sparkqlora.tokenizer.packing.TokenRow;

/** Writes files of rows that appear whole or not at all, however many attempts of a task write them. */
final class RowFileWriter {
    private final Path folder;
    private final RowLayout layout;
    private final Configuration configuration;
    private final FileSystem fileSystem;

    RowFileWriter(String folder, RowLayout layout, Configuration configuration) throws IOException {
        this.folder = new Path(folder);
        this.layout = layout;
        this.configuration = configuration;
        this.fileSystem = StorePath.files(this.folder, configuration);
    }

    PreparedFile write(String name, List<TokenRow> rows) throws IOException {
        Path target = new Path(folder, name);
        Path mine = WholeFile.unfinished(target);
        String sha256 = writeRows(mine, rows);
        PreparedFile written = new PreparedFile(name, rows.size(), sha256);
        if (WholeFile.giveName(fileSystem, mine, target) || isWhole(written)) {
            return written;
        }

        Removal.file(fileSystem, target);
        return write(name, rows);
    }

    /** Whether another attempt came first, with the same bytes. */
    private boolean isWhole(PreparedFile file) {
        return DamagedRows.isWhole(file, layout, folder.toString(), configuration);
    }

    private String writeRows(Path file, List<TokenRow> rows) throws IOException {
        MessageDigest digest = Sha256.digest();
        ByteBuffer row = ByteBuffer.allocate(layout.byteSize());
        try (FSDataOutputStream out = fileSystem.create(file, false)) {
            for (TokenRow each : rows) {
                layout.write(each, row.clear());
                digest.update(row.array());
                out.write(row.array());
            }
        }

        return Sha256.hex(digest);
    }
}
