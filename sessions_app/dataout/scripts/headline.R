# The headline of the report, computed again from the exported sheets. Base R only.
#
#     Rscript headline.R          prints the table
#
# It reads sheets.zip and manifest.json in the folder in which it is run. The manifest says what the headline
# counts and at which horizon; which series are analysed stands in the sheet analysis, since a calendar month
# does not survive shifted days; everything else is computed here. The report's interval of a share of series or
# lesions is a bootstrap with a fixed seed of another generator of random numbers: headline.py computes it.

archive <- "sheets.zip"
manifest <- paste(readLines("manifest.json", encoding = "UTF-8", warn = FALSE), collapse = " ")
chosen <- function(name) sub(paste0('.*"', name, '": *"([a-z_]+)".*'), "\\1", manifest)
unit <- chosen("unit")
horizon <- chosen("horizon")
units <- c(series = "series", patient = "patients", lesion = "lesions")
horizons <- c(end_of_treatment = "end of treatment", follow_up = "follow-up")
scores <- c(ptga = "PtGA", phga = "PhGA")
outcomes <- c(complete = "Complete remission", partial = "Partial remission",
              none = "No remission", not_evaluable = "Not evaluable")

# One sheet as a table of texts; separated by commas, or as Excel in Denmark has it.
read_sheet <- function(name) {
  file <- unz(archive, paste0(name, ".csv"), encoding = "UTF-8")
  lines <- readLines(file, encoding = "UTF-8", warn = FALSE)
  close(file)
  lines[1] <- sub("^\ufeff", "", enc2utf8(lines[1]))
  danish <- grepl(";", lines[1], fixed = TRUE)
  table <- read.csv(text = lines, sep = if (danish) ";" else ",", colClasses = "character",
                    na.strings = "", encoding = "UTF-8", check.names = FALSE)
  for (column in intersect(names(table), c("series_no", "session_no", names(scores), "longest_mm", "widest_mm"))) {
    table[[column]] <- as.numeric(sub(",", ".", table[[column]], fixed = TRUE))
  }
  table
}

key_of <- function(table) paste(table$patient_id, table$series_no, sep = "\r")

# What is not known stays unknown: R's own & and | have three values.
ptga_decreased <- function(values) {
  later <- values[-1]
  later <- later[!is.na(later)]
  if (length(later) == 0 || is.na(values[1])) NA else later[length(later)] < values[1]
}

ulcer_healed <- function(before, after) {
  if (identical(before, "no")) FALSE else if (is.na(before) || is.na(after)) NA else after == "no"
}

lesion_outcome <- function(seen, decreased) {
  start <- which(seen$status == "present")
  if (length(start) == 0 || start[1] == nrow(seen)) return("not_evaluable")
  baseline <- seen[start[1], ]
  end <- seen[nrow(seen), ]
  if (end$status == "gone") return("complete")
  smaller <- end$longest_mm * end$widest_mm < baseline$longest_mm * baseline$widest_mm
  found <- decreased & (ulcer_healed(baseline$ulcer, end$ulcer) | smaller)
  if (is.na(found)) "not_evaluable" else if (found) "partial" else "none"
}

best <- function(found) {
  for (outcome in c("complete", "partial", "not_evaluable")) if (outcome %in% found) return(outcome)
  if (length(found) > 0) "none" else "not_evaluable"
}

analysis <- read_sheet("analysis")
sessions <- read_sheet("sessions")
lesions <- read_sheet("series_lesions")
seen <- read_sheet("session_lesions")

analysed <- analysis[analysis$analysed == "yes", ]
sessions <- sessions[key_of(sessions) %in% key_of(analysed), ]
sessions <- sessions[order(sessions$patient_id, sessions$series_no, sessions$held_on, sessions$session_no), ]
sessions$place <- seq_len(nrow(sessions))
treatments <- sessions[sessions$kind == "treatment", ]
seen$place <- sessions$place[match(paste(key_of(seen), seen$session_no), paste(key_of(sessions), sessions$session_no))]
seen <- seen[!is.na(seen$place), ]
seen <- seen[order(seen$place), ]

# The outcomes of the lesions of each analysed series, from some of the sessions.
lesion_outcomes <- function(counted) {
  lapply(seq_len(nrow(analysed)), function(row) {
    key <- key_of(analysed[row, ])
    of_series <- counted[key_of(counted) == key, ]
    decreased <- ptga_decreased(of_series$ptga)
    listed <- lesions$lesion_id[key_of(lesions) == key]
    vapply(listed, function(lesion) {
      lesion_outcome(seen[seen$place %in% of_series$place & seen$lesion_id == lesion, ], decreased)
    }, "")
  })
}

# The outcomes of what is counted: the best lesion of a series, the best series of a patient.
counted_outcomes <- function(found, unit) {
  if (unit == "lesion") return(as.character(unlist(found)))
  by_series <- vapply(found, best, "")
  if (unit == "series") return(by_series)
  vapply(split(by_series, analysed$patient_id), best, "")
}

# Mean decrease from the first to the last treatment, by Student's t; a patient's is the mean of the patient's series.
mean_decrease <- function(score) {
  by_series <- split(treatments[[score]], factor(key_of(treatments), unique(key_of(treatments))))
  decrease <- vapply(by_series, function(values) values[1] - values[length(values)], 0)
  patient <- sub("\r.*", "", names(by_series))[!is.na(decrease)]
  decrease <- decrease[!is.na(decrease)]
  if (unit == "patient") decrease <- vapply(split(decrease, patient), mean, 0)
  told <- c(length(decrease), if (length(decrease) > 0) mean(decrease) else NA, NA, NA, NA)
  if (length(unique(decrease)) > 1) {
    test <- t.test(decrease)
    told[3:5] <- c(test$conf.int, test$p.value)
  }
  told
}

# The share in remission in per cent; Wilson's interval where patients are counted.
share <- function(outcome, inside) {
  n <- length(outcome)
  if (n == 0) return(c(0, NA, NA, NA, NA))
  events <- sum(outcome %in% inside)
  interval <- if (unit == "patient") 100 * prop.test(events, n, correct = FALSE)$conf.int else c(NA, NA)
  c(n, 100 * events / n, interval, NA)
}

of_horizon <- if (horizon == "end_of_treatment") treatments else sessions
counted <- counted_outcomes(lesion_outcomes(of_horizon), unit)
told <- list(
  "Mean decrease of PtGA, points" = mean_decrease("ptga"),
  "Mean decrease of PhGA, points" = mean_decrease("phga"),
  "Complete remission, %" = share(counted, "complete"),
  "Complete or partial remission, %" = share(counted, c("complete", "partial"))
)
cat(sprintf("Headline: %s, %s\n", units[[unit]], horizons[[horizon]]))
cat(sprintf("  %-34s%5s%9s%18s%10s\n", "", "n", "value", "95% CI", "p"))
for (name in names(told)) {
  one <- told[[name]]
  number <- if (grepl("points", name)) "%.2f" else "%.1f"
  value <- if (is.na(one[2])) "" else sprintf(number, one[2])
  interval <- if (is.na(one[3])) "" else paste(sprintf(number, one[3]), "to", sprintf(number, one[4]))
  p <- if (is.na(one[5])) "" else if (one[5] < 0.001) "< 0.001" else sprintf("%.3f", one[5])
  cat(sprintf("  %-34s%5d%9s%18s%10s\n", name, as.integer(one[1]), value, interval, p))
}

# Scores before each treatment and at the last, and their decrease from the first; positive is better.
for (score in names(scores)) {
  by_series <- split(treatments[[score]], factor(key_of(treatments), unique(key_of(treatments))))
  longest <- max(c(0, lengths(by_series)))
  columns <- lapply(seq_len(longest), function(number) sapply(by_series, function(values) values[number]))
  names(columns) <- if (longest > 0) paste0("before_", seq_len(longest)) else character()
  if (longest > 0) columns$last <- sapply(by_series, function(values) values[length(values)])
  cat(sprintf("%-28s%5s%9s%8s%11s%8s\n", scores[[score]], "n", "mean", "SD", "decrease", "SD"))
  for (time in names(columns)) {
    values <- columns[[time]]
    decrease <- if (time == "before_1") NA else columns[["before_1"]] - values
    told <- c(mean(values, na.rm = TRUE), sd(values, na.rm = TRUE), mean(decrease, na.rm = TRUE), sd(decrease, na.rm = TRUE))
    told <- ifelse(is.na(told), "", sprintf("%.2f", told))
    cat(sprintf("  %-26s%5d%9s%8s%11s%8s\n", time, sum(!is.na(values)), told[1], told[2], told[3], told[4]))
  }
}

by_patient <- counted_outcomes(lesion_outcomes(sessions), "patient")
cat("Remission by patient, at follow-up\n")
for (outcome in names(outcomes)) cat(sprintf("  %-26s%5d\n", outcomes[[outcome]], sum(by_patient == outcome)))
