"""What people read: summary, text, and the result workbook."""
